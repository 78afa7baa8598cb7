//! A reader for the part of CDDL (RFC 8610) that `schemas/entry.cddl` is written in, with two things to do with a rule: hold a value against
//! it, and draw a value that meets it.
//!
//! In scope: rules with parameters, maps, arrays, choices, groups by name, occurrences, literals, ranges, `.size`, `.regexp` over
//! characters, classes and counts. Not in scope: everything else of CDDL; the reader stops with a message where it meets it. Slow and plain:
//! it is an oracle.

use std::collections::BTreeMap;

use ciborium::Value;

/// How often an entry may stand.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub min: usize,
    pub max: usize,
}

#[derive(Debug, Clone)]
pub enum Type {
    Null,
    Bool,
    Uint,
    Text(String),
    Number(i128),
    Range(i128, i128),
    /// Byte string and text string, with the sizes allowed.
    Bytes(usize, usize),
    Tstr(usize, usize),
    Pattern(Vec<Atom>),
    Name(String, Vec<Type>),
    Choice(Vec<Type>),
    Map(Vec<Entry>),
    Array(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub times: Times,
    /// In a map; `None` for a group that is taken in by name, and in an array.
    pub key: Option<Type>,
    pub value: Type,
}

/// One character class of a pattern, and how often it stands.
#[derive(Debug, Clone)]
pub struct Atom {
    chars: Vec<char>,
    times: Times,
}

#[derive(Debug, Clone)]
enum Rule {
    Type(Vec<String>, Type),
    Group(Vec<Entry>),
}

/// All rules of one file.
pub struct Schema {
    rules: BTreeMap<String, Rule>,
}

impl Schema {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut p = Parser { tokens: tokens(text)?, at: 0 };
        let mut rules = BTreeMap::new();
        while p.peek().is_some() {
            let (name, rule) = p.rule()?;
            if rules.insert(name.clone(), rule).is_some() {
                return Err(format!("{name} stands twice"));
            }
        }
        let schema = Schema { rules };
        schema.every_name_is_a_rule()?;
        Ok(schema)
    }

    /// The type of a rule without parameters.
    pub fn rule(&self, name: &str) -> &Type {
        match self.rules.get(name) {
            Some(Rule::Type(parameters, t)) if parameters.is_empty() => t,
            other => panic!("{name} is not a plain rule: {other:?}"),
        }
    }

    /// Whether `value` meets the rule; what does not, otherwise.
    pub fn check(&self, name: &str, value: &Value) -> Result<(), String> {
        self.holds(self.rule(name), value).map_err(|e| format!("{name}: {e}"))
    }

    /// Names in a choice of names, in order.
    pub fn choices(&self, name: &str) -> Vec<String> {
        match self.rule(name) {
            Type::Choice(types) => {
                types.iter().map(|t| if let Type::Name(n, _) = t { n.clone() } else { panic!("{t:?} is not a name") }).collect()
            }
            other => panic!("{other:?} is not a choice"),
        }
    }

    /// Rules that are a choice of words, with their words.
    pub fn enumerations(&self) -> BTreeMap<String, Vec<String>> {
        let words = |t: &Type| match t {
            Type::Choice(types) => types.iter().map(|t| if let Type::Text(w) = t { Some(w.clone()) } else { None }).collect(),
            _ => None,
        };
        self.rules.iter().filter_map(|(n, r)| if let Rule::Type(_, t) = r { Some((n.clone(), words(t)?)) } else { None }).collect()
    }

    /// Entries of a rule's map, its groups put in.
    pub fn entries(&self, name: &str) -> Vec<Entry> {
        match self.rule(name) {
            Type::Map(entries) => self.flat(entries),
            other => panic!("{other:?} is not a map"),
        }
    }

    fn flat(&self, entries: &[Entry]) -> Vec<Entry> {
        let mut out = Vec::new();
        for e in entries {
            match (&e.key, &e.value) {
                (None, Type::Name(name, _)) => match self.rules.get(name) {
                    Some(Rule::Group(group)) => out.extend(self.flat(group)),
                    _ => out.push(e.clone()),
                },
                _ => out.push(e.clone()),
            }
        }
        out
    }

    /// The type a name stands for, arguments put in.
    fn resolve(&self, name: &str, arguments: &[Type]) -> Type {
        match self.rules.get(name) {
            Some(Rule::Type(parameters, t)) => {
                assert_eq!(parameters.len(), arguments.len(), "arguments of {name}");
                substitute(t, &parameters.iter().cloned().zip(arguments.iter().cloned()).collect())
            }
            other => panic!("{name} is not a type: {other:?}"),
        }
    }

    fn holds(&self, t: &Type, value: &Value) -> Result<(), String> {
        let inside = |n: usize, min: usize, max: usize| min <= n && n <= max;
        let met = match (t, value) {
            (Type::Name(name, arguments), _) => {
                return self.holds(&self.resolve(name, arguments), value).map_err(|e| format!("{name}: {e}"));
            }
            (Type::Choice(types), _) => {
                let faults: Vec<String> = types.iter().filter_map(|t| self.holds(t, value).err()).collect();
                return if faults.len() < types.len() { Ok(()) } else { Err(faults.join(" | ")) };
            }
            (Type::Map(entries), Value::Map(pairs)) => return self.map_holds(&self.flat(entries), pairs),
            (Type::Array(entries), Value::Array(items)) => return self.array_holds(entries, items),
            (Type::Null, Value::Null) | (Type::Bool, Value::Bool(_)) => true,
            (Type::Uint, Value::Integer(i)) => u64::try_from(*i).is_ok(),
            (Type::Number(n), Value::Integer(i)) => i128::from(*i) == *n,
            (Type::Range(low, high), Value::Integer(i)) => (*low..=*high).contains(&i128::from(*i)),
            (Type::Text(want), Value::Text(text)) => want == text,
            (Type::Bytes(min, max), Value::Bytes(b)) => inside(b.len(), *min, *max),
            (Type::Tstr(min, max), Value::Text(text)) => inside(text.len(), *min, *max),
            (Type::Pattern(atoms), Value::Text(text)) => matches(atoms, &text.chars().collect::<Vec<_>>()),
            _ => false,
        };
        if met { Ok(()) } else { Err(format!("{value:?} is not {t:?}")) }
    }

    fn map_holds(&self, entries: &[Entry], pairs: &[(Value, Value)]) -> Result<(), String> {
        let mut counts = vec![0; entries.len()];
        for (key, value) in pairs {
            let of_key = |e: &Entry| e.key.as_ref().is_some_and(|k| self.holds(k, key).is_ok());
            let at = entries.iter().position(of_key).ok_or_else(|| format!("no such key: {key:?}"))?;
            self.holds(&entries[at].value, value).map_err(|e| format!("{key:?}: {e}"))?;
            counts[at] += 1;
        }
        for (entry, count) in entries.iter().zip(counts) {
            if count < entry.times.min || count > entry.times.max {
                return Err(format!("{:?} stands {count} times", entry.key));
            }
        }
        Ok(())
    }

    /// Each entry takes as many items as it can; no array of the schema needs more than that.
    fn array_holds(&self, entries: &[Entry], items: &[Value]) -> Result<(), String> {
        let mut rest = items;
        for entry in entries {
            let mut count = 0;
            while let Some((first, others)) = rest.split_first().filter(|_| count < entry.times.max) {
                match self.holds(&entry.value, first) {
                    Ok(()) => (rest, count) = (others, count + 1),
                    Err(e) if count < entry.times.min => return Err(e),
                    Err(_) => break,
                }
            }
            if count < entry.times.min {
                return Err(format!("{:?} stands {count} times", entry.value));
            }
        }
        if rest.is_empty() { Ok(()) } else { Err(format!("{} items too many", rest.len())) }
    }

    fn every_name_is_a_rule(&self) -> Result<(), String> {
        for (name, rule) in &self.rules {
            let (parameters, types): (&[String], Vec<&Type>) = match rule {
                Rule::Type(parameters, t) => (parameters, vec![t]),
                Rule::Group(entries) => (&[], entries.iter().map(|e| &e.value).collect()),
            };
            for used in types.into_iter().flat_map(names) {
                if !self.rules.contains_key(&used) && !parameters.contains(&used) {
                    return Err(format!("{name} uses {used}, which is not there"));
                }
            }
        }
        Ok(())
    }

    /// A value that meets `t`, as `draw` decides: it gives a number below its argument.
    pub fn draw(&self, t: &Type, draw: &mut dyn FnMut(u64) -> u64, depth: usize) -> Value {
        match t {
            Type::Name(name, _) if name == "date" => Value::from(format!("20{:02}-{:02}-{:02}", draw(100), 1 + draw(12), 1 + draw(28))),
            Type::Name(name, _) if name == "window" => {
                let opens = draw(2_000_000_000_000_000);
                let closes = opens + 1 + draw(30 * 86_400_000_000);
                Value::Map(vec![("opens_at".into(), opens.into()), ("closes_at".into(), closes.into())])
            }
            Type::Name(name, _) if name == "band" => {
                let mut ends = [draw(u64::MAX) >> draw(64), draw(u64::MAX) >> draw(64)];
                ends.sort_unstable();
                let mut end = |at: usize| if draw(4) == 0 { Value::Null } else { ends[at].into() };
                Value::Map(vec![("lo".into(), end(0)), ("hi".into(), end(1))])
            }
            Type::Name(name, arguments) => self.draw(&self.resolve(name, arguments), draw, depth),
            Type::Choice(types) => {
                // Deep inside, the first choice: in `value`, null.
                let at = if depth > 6 { 0 } else { draw(types.len() as u64) as usize };
                self.draw(&types[at], draw, depth)
            }
            Type::Map(entries) => Value::Map(self.draw_map(&self.flat(entries), draw, depth + 1)),
            Type::Array(entries) => {
                let mut items = Vec::new();
                for e in entries {
                    for _ in 0..count(e.times, draw) {
                        items.push(self.draw(&e.value, draw, depth + 1));
                    }
                }
                Value::Array(items)
            }
            Type::Null => Value::Null,
            Type::Bool => Value::Bool(draw(2) == 1),
            Type::Uint => Value::from(draw(u64::MAX) >> draw(64)),
            Type::Number(n) => number(*n),
            Type::Range(low, high) => number(low + i128::from(draw(u64::try_from(high - low).unwrap().saturating_add(1)))),
            Type::Text(text) => Value::from(text.as_str()),
            Type::Bytes(min, max) => Value::Bytes((0..count(Times { min: *min, max: *max }, draw)).map(|_| draw(256) as u8).collect()),
            Type::Tstr(min, max) => {
                let n = count(Times { min: *min, max: *max }, draw);
                Value::from((0..n).map(|_| char::from(b' ' + draw(95) as u8)).collect::<String>())
            }
            Type::Pattern(atoms) => {
                let mut text = String::new();
                for atom in atoms {
                    for _ in 0..count(atom.times, draw) {
                        text.push(atom.chars[draw(atom.chars.len() as u64) as usize]);
                    }
                }
                Value::from(text)
            }
        }
    }

    fn draw_map(&self, entries: &[Entry], draw: &mut dyn FnMut(u64) -> u64, depth: usize) -> Vec<(Value, Value)> {
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        for e in entries {
            let key = e.key.as_ref().expect("a map's entry has a key");
            for _ in 0..count(e.times, draw) {
                let key = self.draw(key, draw, depth);
                if pairs.iter().all(|(k, _)| *k != key) {
                    pairs.push((key, self.draw(&e.value, draw, depth)));
                }
            }
        }
        pairs
    }
}

fn number(n: i128) -> Value {
    Value::Integer(ciborium::value::Integer::try_from(n).unwrap())
}

/// At least the least, at most the most, and mostly few; now and then as many as may be, where that is not too many.
fn count(times: Times, draw: &mut dyn FnMut(u64) -> u64) -> usize {
    let span = times.max.saturating_sub(times.min);
    match draw(8) {
        0 if times.max <= 1_024 => times.max,
        1 => times.min,
        _ => times.min + draw(span.min(4) as u64 + 1) as usize,
    }
}

fn matches(atoms: &[Atom], text: &[char]) -> bool {
    let Some((first, rest)) = atoms.split_first() else { return text.is_empty() };
    let run = text.iter().take_while(|c| first.chars.contains(c)).count().min(first.times.max);
    (first.times.min..=run).rev().any(|n| matches(rest, &text[n..]))
}

fn names(t: &Type) -> Vec<String> {
    match t {
        Type::Name(name, arguments) => std::iter::once(name.clone()).chain(arguments.iter().flat_map(names)).collect(),
        Type::Choice(types) => types.iter().flat_map(names).collect(),
        Type::Map(entries) | Type::Array(entries) => entries.iter().flat_map(|e| e.key.iter().chain([&e.value])).flat_map(names).collect(),
        _ => Vec::new(),
    }
}

fn substitute(t: &Type, arguments: &BTreeMap<String, Type>) -> Type {
    let each = |types: &[Type]| types.iter().map(|t| substitute(t, arguments)).collect();
    let inside = |entries: &[Entry]| entries.iter().map(|e| Entry { value: substitute(&e.value, arguments), ..e.clone() }).collect();
    match t {
        Type::Name(name, _) if arguments.contains_key(name) => arguments[name].clone(),
        Type::Name(name, own) => Type::Name(name.clone(), each(own)),
        Type::Choice(types) => Type::Choice(each(types)),
        Type::Map(entries) => Type::Map(inside(entries)),
        Type::Array(entries) => Type::Array(inside(entries)),
        other => other.clone(),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(i128),
    Mark(&'static str),
}

const MARKS: [&str; 17] = ["..", "=>", "=", "/", ",", ":", "?", "*", "+", "{", "}", "[", "]", "(", ")", "<", ">"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word =
            |from: usize| rest[from..].find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c))).map_or(rest.len(), |n| n + from);
        let (token, used) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if first == ';' {
            (None, rest.find('\n').unwrap_or(rest.len()))
        } else if first == '"' {
            let end = rest[1..].find('"').ok_or("a text without its end")? + 1;
            (Some(Token::Text(rest[1..end].to_owned())), end + 1)
        } else if first.is_ascii_digit() || (first == '-' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            let end = rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |n| n + 1);
            (Some(Token::Number(rest[..end].parse().map_err(|e| format!("{e}"))?)), end)
        } else if first.is_ascii_alphabetic() || (first == '.' && !rest.starts_with("..")) {
            (Some(Token::Name(rest[..word(1)].to_owned())), word(1))
        } else {
            let mark = MARKS.into_iter().find(|m| rest.starts_with(m)).ok_or_else(|| format!("unknown mark {first:?}"))?;
            (Some(Token::Mark(mark)), mark.len())
        };
        out.extend(token);
        rest = &rest[used..];
    }
    Ok(out)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, mark: &str) -> bool {
        let found = self.next_is(0, mark);
        self.at += usize::from(found);
        found
    }

    fn next_is(&self, ahead: usize, mark: &str) -> bool {
        matches!(self.tokens.get(self.at + ahead), Some(Token::Mark(m)) if *m == mark)
    }

    fn want(&mut self, mark: &str) -> Result<(), String> {
        if self.take(mark) {
            Ok(())
        } else {
            Err(format!("{mark} expected, {:?} found, after {:?}", self.peek(), &self.tokens[self.at.saturating_sub(6)..self.at]))
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.peek().cloned() {
            Some(Token::Name(name)) => {
                self.at += 1;
                Ok(name)
            }
            other => Err(format!("a name expected, {other:?} found")),
        }
    }

    fn rule(&mut self) -> Result<(String, Rule), String> {
        let name = self.name()?;
        let mut parameters = Vec::new();
        if self.take("<") {
            parameters.push(self.name()?);
            self.want(">")?;
        }
        self.want("=")?;
        if self.take("(") {
            return Ok((name, Rule::Group(self.group(")")?)));
        }
        Ok((name, Rule::Type(parameters, self.choice()?)))
    }

    fn choice(&mut self) -> Result<Type, String> {
        let mut types = vec![self.ranged()?];
        while self.take("/") {
            types.push(self.ranged()?);
        }
        Ok(if types.len() == 1 { types.remove(0) } else { Type::Choice(types) })
    }

    fn ranged(&mut self) -> Result<Type, String> {
        let t = self.single()?;
        if self.take("..") {
            return match (t, self.single()?) {
                (Type::Number(low), Type::Number(high)) if low <= high => Ok(Type::Range(low, high)),
                other => Err(format!("not a range: {other:?}")),
            };
        }
        match self.peek() {
            Some(Token::Name(control)) if control.starts_with('.') => {
                let control = self.name()?;
                self.controlled(t, &control)
            }
            _ => Ok(t),
        }
    }

    fn controlled(&mut self, t: Type, control: &str) -> Result<Type, String> {
        match (t, control) {
            (t @ (Type::Bytes(..) | Type::Tstr(..)), ".size") => {
                let bracket = self.take("(");
                let (min, max) = match self.ranged()? {
                    Type::Number(n) => (n as usize, n as usize),
                    Type::Range(low, high) => (low as usize, high as usize),
                    other => return Err(format!("not a size: {other:?}")),
                };
                if bracket {
                    self.want(")")?;
                }
                Ok(if matches!(t, Type::Bytes(..)) { Type::Bytes(min, max) } else { Type::Tstr(min, max) })
            }
            (Type::Tstr(..), ".regexp") => match self.single()? {
                Type::Text(pattern) => Ok(Type::Pattern(atoms(&pattern)?)),
                other => Err(format!("not a pattern: {other:?}")),
            },
            (t, control) => Err(format!("{control} of {t:?} is not read")),
        }
    }

    fn single(&mut self) -> Result<Type, String> {
        if self.take("{") {
            return Ok(Type::Map(self.group("}")?));
        }
        if self.take("[") {
            return Ok(Type::Array(self.group("]")?));
        }
        if self.take("(") {
            let t = self.choice()?;
            self.want(")")?;
            return Ok(t);
        }
        let token = self.peek().cloned().ok_or("the text ends inside a rule")?;
        self.at += 1;
        Ok(match token {
            Token::Text(text) => Type::Text(text),
            Token::Number(n) => Type::Number(n),
            Token::Mark(mark) => return Err(format!("{mark} where a type should stand")),
            Token::Name(name) => match name.as_str() {
                "null" => Type::Null,
                "bool" => Type::Bool,
                "uint" => Type::Uint,
                "bstr" => Type::Bytes(0, usize::MAX),
                "tstr" => Type::Tstr(0, usize::MAX),
                "int" | "any" | "nint" | "float" => return Err(format!("{name} is wider than the format")),
                _ => {
                    let mut arguments = Vec::new();
                    if self.take("<") {
                        arguments.push(self.ranged()?);
                        self.want(">")?;
                    }
                    Type::Name(name, arguments)
                }
            },
        })
    }

    fn group(&mut self, end: &str) -> Result<Vec<Entry>, String> {
        let mut entries = Vec::new();
        while !self.take(end) {
            let times = self.times();
            let first_is_key = matches!(self.peek(), Some(Token::Name(_) | Token::Number(_) | Token::Text(_)));
            let key = if first_is_key && self.next_is(1, ":") {
                let key = match self.single()? {
                    Type::Name(name, _) => Type::Text(name),
                    Type::Number(n) => Type::Number(n),
                    other => return Err(format!("not a key: {other:?}")),
                };
                self.want(":")?;
                Some(key)
            } else if first_is_key && self.next_is(1, "=>") {
                let key = self.single()?;
                self.want("=>")?;
                Some(key)
            } else {
                None
            };
            entries.push(Entry { times, key, value: self.choice()? });
            if !self.take(",") && !self.next_is(0, end) {
                self.want(",")?;
            }
        }
        Ok(entries)
    }

    fn times(&mut self) -> Times {
        if self.take("?") {
            return Times { min: 0, max: 1 };
        }
        if self.take("+") {
            return Times { min: 1, max: usize::MAX };
        }
        if self.take("*") {
            return Times { min: 0, max: usize::MAX };
        }
        if let (Some(Token::Number(n)), true) = (self.peek().cloned(), self.next_is(1, "*")) {
            self.at += 2;
            return Times { min: n as usize, max: usize::MAX };
        }
        Times { min: 1, max: 1 }
    }
}

/// Characters, classes in square brackets, and `{n}` or `{m,n}` behind either.
fn atoms(pattern: &str) -> Result<Vec<Atom>, String> {
    let mut out: Vec<Atom> = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        match first {
            '[' => {
                let (class, after) = rest[1..].split_once(']').ok_or("a class without its end")?;
                out.push(Atom { chars: class_chars(class), times: Times { min: 1, max: 1 } });
                rest = after;
            }
            '{' => {
                let (times, after) = rest[1..].split_once('}').ok_or("a count without its end")?;
                let (min, max) = times.split_once(',').unwrap_or((times, times));
                let number = |n: &str| n.parse::<usize>().map_err(|e| format!("{times}: {e}"));
                out.last_mut().ok_or("a count of nothing")?.times = Times { min: number(min)?, max: number(max)? };
                rest = after;
            }
            c if c.is_ascii_alphanumeric() || "-:_".contains(c) => {
                out.push(Atom { chars: vec![c], times: Times { min: 1, max: 1 } });
                rest = &rest[1..];
            }
            c => return Err(format!("{c:?} in a pattern is not read")),
        }
    }
    Ok(out)
}

fn class_chars(class: &str) -> Vec<char> {
    let all: Vec<char> = class.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&c) = all.get(at) {
        match (all.get(at + 1), all.get(at + 2)) {
            (Some('-'), Some(&end)) => {
                out.extend(c..=end);
                at += 3;
            }
            _ => {
                out.push(c);
                at += 1;
            }
        }
    }
    out
}
