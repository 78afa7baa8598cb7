//! Counters for whoever watches the service, in the text Prometheus reads. Labels are route templates, methods, statuses and kinds of problems: words of
//! this program, never anything a client sent or the ledger holds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::Method;
use countersign_api::problem::Kind;

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.010, 0.025, 0.1, 0.5, 2.5, 10.0];

#[derive(Default)]
struct Series {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

type Answered = (&'static str, Arc<str>, u16);

/// What is counted.
#[derive(Default)]
pub struct Metrics {
    answered: Mutex<BTreeMap<Answered, Series>>,
    refused: Mutex<BTreeMap<&'static str, u64>>,
    events: AtomicU64,
    events_failed: AtomicU64,
    reads_unrecorded: AtomicU64,
    unpublished: AtomicU64,
    undelivered: AtomicU64,
    connections: AtomicI64,
    connections_refused: AtomicU64,
    handshakes_failed: AtomicU64,
}

impl Metrics {
    /// A request was answered.
    pub fn answered(&self, method: &Method, route: &Arc<str>, status: u16, took: Duration) {
        let mut all = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let series = all.entry((crate::front::word(method), Arc::clone(route), status)).or_default();
        let seconds = took.as_secs_f64();
        for (bucket, bound) in series.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(seconds <= bound);
        }
        series.count += 1;
        series.seconds += seconds;
    }

    /// The ledger did not take something.
    pub fn refused(&self, kind: Option<Kind>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(kind.map_or("-", Kind::slug)).or_default() += 1;
    }

    /// A line of a stream came to an end.
    pub fn event(&self, recorded: bool) {
        if recorded { &self.events } else { &self.events_failed }.fetch_add(1, Ordering::Relaxed);
    }

    /// A question was answered and could not be recorded.
    pub fn read_unrecorded(&self) {
        self.reads_unrecorded.fetch_add(1, Ordering::Relaxed);
    }

    /// It was time to publish a checkpoint, and none could be.
    pub fn unpublished(&self) {
        self.unpublished.fetch_add(1, Ordering::Relaxed);
    }

    /// A receiver of a webhook did not take an event; it is sent again.
    pub fn undelivered(&self) {
        self.undelivered.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection was opened, or closed.
    pub fn connection(&self, by: i64) {
        self.connections.fetch_add(by, Ordering::Relaxed);
    }

    /// A connection was closed at once, since there are as many as may be.
    pub fn connection_refused(&self) {
        self.connections_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A handshake came to nothing.
    pub fn handshake_failed(&self) {
        self.handshakes_failed.fetch_add(1, Ordering::Relaxed);
    }

    /// All of it as text, with the ledger's size and whether it takes entries.
    pub fn render(&self, size: u64, writable: bool) -> String {
        let mut out = String::new();
        let mut line = |text: std::fmt::Arguments<'_>| writeln!(out, "{text}").unwrap_or(());
        line(format_args!("# TYPE countersign_request_seconds histogram"));
        for ((method, route, status), s) in &*self.answered.lock().unwrap_or_else(PoisonError::into_inner) {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            for (bound, count) in BUCKETS.iter().zip(s.buckets) {
                line(format_args!("countersign_request_seconds_bucket{{{labels},le=\"{bound}\"}} {count}"));
            }
            line(format_args!("countersign_request_seconds_bucket{{{labels},le=\"+Inf\"}} {}", s.count));
            line(format_args!("countersign_request_seconds_sum{{{labels}}} {}", s.seconds));
            line(format_args!("countersign_request_seconds_count{{{labels}}} {}", s.count));
        }
        line(format_args!("# TYPE countersign_not_recorded_total counter"));
        for (kind, count) in &*self.refused.lock().unwrap_or_else(PoisonError::into_inner) {
            line(format_args!("countersign_not_recorded_total{{problem=\"{kind}\"}} {count}"));
        }
        for (name, count) in [
            ("stream_events_recorded_total", &self.events),
            ("stream_events_failed_total", &self.events_failed),
            ("reads_unrecorded_total", &self.reads_unrecorded),
            ("checkpoints_unpublished_total", &self.unpublished),
            ("webhook_undelivered_total", &self.undelivered),
            ("connections_refused_total", &self.connections_refused),
            ("handshakes_failed_total", &self.handshakes_failed),
        ] {
            line(format_args!("# TYPE countersign_{name} counter\ncountersign_{name} {}", count.load(Ordering::Relaxed)));
        }
        let connections = self.connections.load(Ordering::Relaxed);
        line(format_args!("# TYPE countersign_connections gauge\ncountersign_connections {connections}"));
        line(format_args!("# TYPE countersign_entries gauge\ncountersign_entries {size}"));
        line(format_args!("# TYPE countersign_writable gauge\ncountersign_writable {}", u8::from(writable)));
        out
    }
}
