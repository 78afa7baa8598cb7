//! The table of figures of a benchmark: printed as it grows, and written into the document.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark that fails should stop"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A table, and the machine its figures are of.
pub struct Table {
    machine: String,
    rows: Vec<[String; 4]>,
}

impl Table {
    /// An empty one, for what is measured on the disk `base` lies on.
    pub fn new(base: &Path) -> Self {
        let machine = machine(base);
        println!("{machine}\n");
        Self { machine, rows: Vec::new() }
    }

    /// What was measured, the figure, what it is to be seen against, and the bar where there is one.
    pub fn row(&mut self, what: impl Into<String>, figure: impl Into<String>, against: impl Into<String>, bar: &str) {
        let row = [what.into(), figure.into(), against.into(), bar.to_owned()];
        println!("{:<50} {:>14}   {:<12} {}", row[0], row[1], if bar.is_empty() { String::new() } else { format!("(bar {bar})") }, row[2]);
        self.rows.push(row);
    }

    /// Puts the table between the two markers of this name in the document.
    pub fn write(&self, path: &Path, name: &str) {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
        let (begin, end) = (begin.as_str(), end.as_str());
        let text = fs::read_to_string(path).unwrap();
        let (before, rest) = text.split_once(begin).expect("the document has lost its marker");
        let (_, after) = rest.split_once(end).expect("the document has lost its marker");
        let mut out = format!("{before}{begin}{}\n\n| what | figure | bar | seen against |\n|---|---|---|---|\n", self.machine);
        for [what, figure, against, bar] in &self.rows {
            let [what, figure, bar, against] = [what, figure, bar, against].map(|cell| cell.trim_start().replace('|', "\\|"));
            writeln!(out, "| {what} | {figure} | {bar} | {against} |").unwrap();
        }
        fs::write(path, out + end + after).unwrap();
        println!("\nwritten to docs/performance.md");
    }
}

/// Resident memory of a process, now and at its peak, in MiB.
pub fn memory(pid: Option<u32>) -> (f64, f64) {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.map_or("self".into(), |pid| pid.to_string()))).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
    };
    (field("VmRSS:"), field("VmHWM:"))
}

/// Processor seconds this process has used, all its threads, in user and in kernel mode.
pub fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, after) = stat.rsplit_once(") ").unwrap();
    // Fields 14 and 15, in ticks of a hundredth of a second; the state is field 3.
    after.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

fn machine(base: &Path) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")).map_or("unknown", |l| l.trim_start_matches(['\t', ' ', ':']));
    let has = |flag: &str| cpu.lines().find(|l| l.starts_with("flags")).is_some_and(|l| l.split(' ').any(|f| f == flag));
    let flags: Vec<_> = ["sha_ni", "avx2", "avx512f"].into_iter().filter(|flag| has(flag)).collect();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.lines().next().unwrap_or_default().split_whitespace().nth(1).and_then(|k| k.parse::<u64>().ok()).unwrap_or(0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let base = fs::canonicalize(base).unwrap();
    let on = mounts.lines().filter_map(|l| {
        let f: Vec<_> = l.split(' ').collect();
        base.starts_with(f[1]).then(|| (f[1].len(), f[2].to_owned()))
    });
    format!(
        "{model} ({}), {cores} cores, {} GiB, Linux {}, {}, {}; load when it began: {}",
        flags.join(", "),
        memory / 1_048_576,
        kernel.trim(),
        on.max().map_or("unknown file system".into(), |(_, t)| t),
        if cfg!(debug_assertions) { "with debug assertions" } else { "optimised build" },
        load.split(' ').next().unwrap_or_default()
    )
}
