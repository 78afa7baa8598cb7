//! The log of the service itself: one line of JSON for each event, to standard error. Fields are route templates, statuses, durations, kinds of problems
//! and random ids of principals. What a client sent and what the ledger holds are never given to it; a test looks for canaries in it.

/// Begins to write the log to standard error. Does nothing where something else takes it already.
pub fn to_stderr() {
    let subscriber = tracing_subscriber::fmt().json().with_writer(std::io::stderr).with_current_span(false).with_span_list(false);
    subscriber.try_init().unwrap_or(());
}
