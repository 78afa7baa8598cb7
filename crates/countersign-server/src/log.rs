//! The log of the service itself: one line of JSON for each event, to standard error. Fields are route templates, statuses, durations, kinds of problems
//! and random ids of principals. What a client sent and what the ledger holds are never given to it; a test looks for canaries in it.

/// Begins to write the log to standard error. Does nothing where something else takes it already.
pub fn to_stderr() {
    let subscriber = tracing_subscriber::fmt().json().with_writer(std::io::stderr).with_current_span(false).with_span_list(false);
    if subscriber.try_init().is_err() {
        return;
    }
    // Where, and not what: a message may hold what was being worked on.
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        tracing::error!(target: "panic", at = at.as_deref().unwrap_or("-"), "a thread died of a defect");
    }));
}

/// Tells of what an opening of the ledger had to make anew.
pub fn made_anew(why: &str) {
    tracing::warn!(target: "ledger", "{why}");
}
