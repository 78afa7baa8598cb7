//! What joins an answer to its line in the log: the trace id of W3C Trace Context, the client's own where it sent a valid one. For a problem one is made
//! where it did not. Of what a client sends nothing but 32 hex digits is ever said again.

use axum::http::{HeaderMap, HeaderValue};

/// Header of W3C Trace Context.
const HEADER: &str = "traceparent";
/// `00-`, a trace id of 32 digits, `-`, a span id of 16, `-`, flags of 2.
const LENGTH: usize = 55;

/// What a request says of its trace. More than one header is none (Trace Context section 3.2.1).
pub fn sent(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut all = headers.get_all(HEADER).iter();
    all.next().filter(|_| all.next().is_none()).cloned()
}

/// The trace id: 32 hex digits, whoever made it. None where there is no randomness to make one of.
pub fn id(sent: Option<&HeaderValue>) -> Option<String> {
    sent.and_then(own).or_else(made)
}

/// The client's own, where what it sent is valid.
pub fn own(sent: &HeaderValue) -> Option<String> {
    parent(sent.as_bytes())
}

fn made() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(hex::encode(bytes))
}

/// The trace id of a `traceparent`, where all of it is valid. A later version may say more behind what this one says (section 4.3).
fn parent(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (known, more) = (text.get(..LENGTH)?, text.get(LENGTH..)?);
    let mut parts = known.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let something = |part: &str| part.bytes().any(|b| b != b'0');
    let fits = digits(version, 2) && digits(trace, 32) && digits(span, 16) && digits(flags, 2) && parts.next().is_none();
    let ends = more.is_empty() || version != "00" && more.starts_with('-');
    (fits && ends && version != "ff" && something(trace) && something(span)).then(|| trace.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_valid_parent_gives_its_trace_and_nothing_else_is_said_again() {
        let of = |text: &str| parent(text.as_bytes());
        let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(of(&good).as_deref(), Some(TRACE));
        assert_eq!(of(&format!("cc-{TRACE}-00f067aa0ba902b7-01-what-comes-later")).as_deref(), Some(TRACE));
        for bad in [
            String::new(),
            good.to_uppercase(),
            format!("{good}-more"),
            format!("{good}0"),
            good.replacen("00-", "ff-", 1),
            good.replace(TRACE, &"0".repeat(32)),
            good.replace("00f067aa0ba902b7", &"0".repeat(16)),
            good.replace(TRACE, "CANARY7XQ-34da6a3ce929d0e0e47360"),
            good.replace('4', "\u{e9}"),
            format!("cc-{TRACE}-00f067aa0ba902b7-01x"),
        ] {
            assert_eq!(of(&bad), None, "{bad}");
        }
    }

    #[test]
    fn without_one_it_is_made_anew_each_time() {
        let (one, two) = (id(None).unwrap(), id(Some(&HeaderValue::from_static("CANARY"))).unwrap());
        assert!(one != two && one.len() == 32 && two.len() == 32);
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("00-{TRACE}-00f067aa0ba902b7-01")).unwrap();
        headers.append(HEADER, value.clone());
        assert_eq!(id(sent(&headers).as_ref()).as_deref(), Some(TRACE));
        headers.append(HEADER, value);
        assert_eq!(sent(&headers), None);
    }
}
