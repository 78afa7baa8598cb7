//! `access log --file`: one JSON object a line, in batches through the writer's queue. Every line gets its result; none is dropped.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::Path;

use countersign_api::body::{AccessBody, LINE_BYTES_MAX};
use countersign_entry::ids::{PrincipalId, RequestKey};
use countersign_ledger::{AppendError, Pending, Request, Writer};
use countersign_server::limits::LOCAL_WAITING_MAX;
use countersign_server::local::Client;
use serde_json::{Value, json};

use super::access::LogArgs;
use super::{DONE, bar};
use crate::failure::{Exit, Failure};
use crate::output::{Out, say};
use crate::session::{Session, random_key};

/// Requests on their way at once; well under what the queue takes.
const WAITING_MAX: usize = 4_096;

pub(super) fn run(args: &LogArgs, path: &Path, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_write(&args.ledger)?;
    let input: Box<dyn Read> =
        if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(std::fs::File::open(path).map_err(Failure::file(path))?) };
    let (actor, key) = (session.actor.id.clone(), args.write.idempotency_key.clone());
    let pen = match session.into_parts() {
        (ledger, None) => Pen::Here(Writer::start(ledger).map_err(Failure::Output)?, VecDeque::new()),
        (_, Some(client)) => Pen::There(client, VecDeque::new()),
    };
    let mut load = Load { pen, actor, key, results: Results::new(out) };
    let read = load.read(&mut BufReader::with_capacity(LINE_BYTES_MAX, input));
    // Whatever ended the reading, what was handed in is waited for.
    load.drain(0);
    let Load { pen, results, .. } = load;
    drop(pen);
    let exit = results.finish()?;
    read.map_err(Failure::file(path)).map(|()| exit)
}

struct Load<'a, 'o> {
    pen: Pen,
    actor: PrincipalId,
    key: Option<RequestKey>,
    results: Results<'a, 'o>,
}

/// Who records, and which lines wait for that.
enum Pen {
    /// This program.
    Here(Writer, VecDeque<(u64, Pending)>),
    /// Whoever serves the ledger.
    There(Client, VecDeque<u64>),
}

impl Pen {
    fn waiting(&self) -> (usize, usize) {
        match self {
            Self::Here(_, waiting) => (waiting.len(), WAITING_MAX),
            Self::There(_, waiting) => (waiting.len(), LOCAL_WAITING_MAX),
        }
    }

    /// Hands a line in; whether there was room for it.
    fn submit(&mut self, number: u64, request: &Request) -> Result<bool, String> {
        match self {
            Self::Here(writer, waiting) => match writer.submit(request.clone()) {
                Ok(pending) => waiting.push_back((number, pending)),
                Err(AppendError::Busy) if !waiting.is_empty() => return Ok(false),
                Err(e) => return Err(e.to_string()),
            },
            Self::There(client, waiting) => {
                client.send(request.key.clone(), &request.record, None).map_err(|e| e.to_string())?;
                waiting.push_back(number);
            }
        }
        Ok(true)
    }

    /// Waits for the line that was handed in first; none where none waits.
    fn next(&mut self) -> Option<(u64, Result<u64, String>)> {
        match self {
            Self::Here(_, waiting) => {
                let (number, pending) = waiting.pop_front()?;
                Some((number, pending.wait().map(|receipt| receipt.index).map_err(|e| e.to_string())))
            }
            Self::There(client, waiting) => {
                let number = waiting.pop_front()?;
                Some((number, client.receive().map(|receipt| receipt.index).map_err(|e| e.to_string())))
            }
        }
    }
}

impl Load<'_, '_> {
    fn read(&mut self, input: &mut BufReader<Box<dyn Read>>) -> io::Result<()> {
        let mut number = 0;
        loop {
            // The next read may wait for somebody, who may be waiting for these results.
            if input.buffer().is_empty() {
                self.drain(0);
            }
            let Some(line) = read_line(input)? else { return Ok(()) };
            number += 1;
            match line {
                Ok(bytes) if bytes.trim_ascii().is_empty() => {}
                Ok(bytes) => match self.parse(number, &bytes) {
                    Ok(request) => self.submit(number, &request),
                    Err(why) => self.results.failed(number, &why),
                },
                Err(length) => self.results.failed(number, &format!("{length} bytes; a line has at most {LINE_BYTES_MAX}")),
            }
        }
    }

    fn parse(&self, number: u64, bytes: &[u8]) -> Result<Request, String> {
        let line: AccessBody = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        let key = match (line.idempotency_key.clone(), &self.key) {
            (Some(own), _) => own,
            (None, Some(file)) => RequestKey::new(format!("{file}-{number}")).map_err(|e| e.to_string())?,
            (None, None) => random_key().map_err(|e| e.sentence())?,
        };
        Ok(Request { actor: self.actor.clone(), key, record: line.event()?.into(), signed: None })
    }

    fn submit(&mut self, number: u64, request: &Request) {
        let (waiting, most) = self.pen.waiting();
        if waiting >= most {
            self.drain(most / 2);
        }
        loop {
            match self.pen.submit(number, request) {
                Ok(true) => return,
                Ok(false) => self.drain(0),
                Err(why) => return self.results.failed(number, &why),
            }
        }
    }

    /// Waits until no more than `left` are on their way.
    fn drain(&mut self, left: usize) {
        while self.pen.waiting().0 > left {
            let Some((number, told)) = self.pen.next() else { break };
            match told {
                Ok(entry) => self.results.recorded(number, entry),
                Err(why) => self.results.failed(number, &why),
            }
        }
    }
}

/// A line without its line feed; its length where it is too long; `None` at the end. A line that is too long is read past, not kept.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Result<Vec<u8>, usize>>> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.ends_with(b"\n") || read <= LINE_BYTES_MAX {
        return Ok(Some(Ok(bytes)));
    }
    Ok(Some(Err(read + input.skip_until(b'\n')?)))
}

/// Results in the order of the lines: as they come for people and pipes, in one object for JSON.
struct Results<'a, 'o> {
    out: &'a mut Out<'o>,
    /// The first line of output that failed. Recording goes on: an access that happened is not dropped because nobody listens any more.
    unheard: Option<Failure>,
    lines: Vec<Value>,
    recorded: u64,
    failed: u64,
    /// On a terminal a line for each success is noise; failures are told all the same.
    brief: bool,
    bar: indicatif::ProgressBar,
}

impl<'a, 'o> Results<'a, 'o> {
    fn new(out: &'a mut Out<'o>) -> Self {
        let brief = io::stdout().is_terminal();
        Self { out, unheard: None, lines: Vec::new(), recorded: 0, failed: 0, brief, bar: bar(0, "recorded") }
    }

    fn recorded(&mut self, line: u64, entry: u64) {
        self.recorded += 1;
        self.bar.inc(1);
        self.tell(json!({ "line": line, "recorded": true, "entry": entry }), || format!("line {line}: recorded: entry {entry}"));
    }

    fn failed(&mut self, line: u64, why: &str) {
        self.failed += 1;
        self.bar.suspend(|| say(format_args!("line {line}: {why}")));
        self.tell(json!({ "line": line, "recorded": false, "error": why }), || format!("line {line}: not recorded: {why}"));
    }

    fn tell(&mut self, object: Value, line: impl FnOnce() -> String) {
        if self.out.is_json() {
            self.lines.push(object);
        } else if !self.brief && self.unheard.is_none() {
            self.unheard = self.out.line(line()).err();
        }
    }

    fn finish(self) -> Result<Exit, Failure> {
        self.bar.finish_and_clear();
        let exit = if self.failed > 0 { Exit::Partial } else { DONE };
        let (recorded, failed) = (self.recorded, self.failed);
        let told = match self.unheard {
            Some(e) => Err(e),
            None if self.out.is_json() => {
                let fields = json!({ "recorded": recorded, "failed": failed, "lines": self.lines, "exit_code": exit as u8 });
                self.out.object("access-log", fields)
            }
            None => self.out.line(format_args!("{recorded} recorded, {failed} not recorded")),
        };
        if failed > 0 { Ok(exit) } else { told.map(|()| exit) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<Result<usize, usize>> {
        let mut input = BufReader::with_capacity(7, text);
        std::iter::from_fn(|| read_line(&mut input).unwrap()).map(|l| l.map(|b| b.len())).collect()
    }

    #[test]
    fn lines_are_counted_whole_whatever_their_length() {
        let long = vec![b'x'; LINE_BYTES_MAX + 10];
        let text = [b"a\n\n".as_slice(), &long, b"\nlast"].concat();
        assert_eq!(lines(&text), [Ok(2), Ok(1), Err(LINE_BYTES_MAX + 11), Ok(4)]);
        let most = [vec![b'y'; LINE_BYTES_MAX], b"\nb".to_vec()].concat();
        assert_eq!(lines(&most), [Ok(LINE_BYTES_MAX + 1), Ok(1)]);
        assert!(lines(b"").is_empty());
    }
}
