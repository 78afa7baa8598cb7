//! Every bound of this crate that no configuration changes, in one place.

use std::time::Duration;

/// Bytes of a body that is read whole.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Objects and arrays inside one another in a body; a record's own limit is half of it.
pub const JSON_DEPTH_MAX: usize = 32;
/// Bytes of a request's head that are buffered.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Headers of a request.
pub const HEADERS_MAX: usize = 64;
/// Access events of one stream that wait for their receipts, or to be told, at once: a few of the ledger's batches, so that one is decided while others
/// are sealed and made durable.
pub const STREAM_WAITING_MAX: usize = 4_096;
/// Access events of all streams that wait for their receipts at once: half of what the ledger's queue takes, so that single requests find room beside
/// any number of streams.
pub const STREAMED_MAX: usize = 4_096;
/// Rows of a page where nobody asks for fewer.
pub const PAGE_ROWS: usize = 100;
/// Rows of a page at most.
pub const PAGE_ROWS_MAX: usize = 1_000;
/// Entries opened for one page: a page that would take more is shorter, and its cursor goes on from there. A look stops the writing while it lasts.
pub const OPENED_MAX: usize = 5_000;
/// Entries opened in one look, where a page takes several: the next commit waits for a look.
pub const LOOKED_AT_MAX: usize = 64;
/// Records passed over in one look that are not shown.
pub const PASSED_MAX: usize = 1_024;
/// Questions that wait to be recorded.
pub const READS_WAITING_MAX: usize = 8_192;
/// Questions recorded at once.
pub const READS_AT_ONCE: usize = 256;
/// How long questions that could not be recorded wait at first before they are tried again.
pub const READS_PAUSE_MIN: Duration = Duration::from_millis(50);
/// And at most, however often they cannot.
pub const READS_PAUSE_MAX: Duration = Duration::from_secs(2);
/// Looks at the ledger at once; more wait their turn.
pub const LOOKS_MAX: usize = 32;
/// Files held against the ledger at once, through a handle apart; more wait their turn.
pub const ASIDES_MAX: usize = 2;
/// Older sizes of which it is kept what was known then: as much memory each as the ledger's own facts.
pub const PASTS_KEPT: usize = 2;
/// How long that is kept while nobody asks of it.
pub const PAST_KEPT_FOR: Duration = Duration::from_secs(300);
/// Seconds after which whoever did not wait for it asks again.
pub const PAST_RETRY: u32 = 5;
/// How long whoever wants to look waits for a turn.
pub const TURN_PATIENCE: Duration = Duration::from_secs(1);
/// How often what time alone makes due is recorded while nothing else comes.
pub const TICK: Duration = Duration::from_secs(1);
/// How long whoever sent too much waits to hear of it. Their connection ends with that, and a few that began again at once would take the processors
/// with their handshakes: 32 of them left a third of the rate before this.
pub const TOO_LARGE_PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked whether a commit failed; then the ledger is opened again.
pub const MEND_MIN: Duration = Duration::from_secs(1);
/// The longest pause between tries where that does not help.
pub const MEND_MAX: Duration = Duration::from_secs(60);
/// Connections that one thread serves before the next one is given any.
pub const CONNECTIONS_TOGETHER: usize = 512;
/// Connections at once to where health and metrics are; one more is closed at once.
pub const OPERATIONS_MAX: usize = 64;
/// How long one of them may last.
pub const OPERATIONS_PATIENCE: Duration = Duration::from_secs(10);
/// How long a shake of hands may take.
pub const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long the connections that are open may take to finish when the service stops.
pub const GOODBYE: Duration = Duration::from_secs(10);
/// How long a connection's last words may take.
pub const FAREWELL: Duration = Duration::from_secs(2);
/// Bytes of a line sent over the local socket.
pub const LOCAL_LINE_BYTES_MAX: usize = 256 * 1024;
/// Lines sent over the local socket that wait for their answers, of one who asks.
pub const LOCAL_WAITING_MAX: usize = 64;
/// Principals whose rate is remembered at once.
pub const RATES_MAX: usize = 65_536;
/// Signatures over roots that are remembered for COSE receipts.
pub const COSE_KEPT: usize = 1_024;
/// Bytes of a file to be imported, as it is sent: 24 MiB in base64 and what is told beside it.
pub const IMPORT_BODY_BYTES_MAX: usize = 33 << 20;
/// Files that are read and held against the ledger at once.
pub const FILES_AT_ONCE: usize = 2;
/// Files kept in memory between what they would do and that it is done.
pub const IMPORTS_KEPT: usize = 8;
/// Bytes of all of them, with what was told of them: eight of the longest do not fit, and need not.
pub const IMPORT_BYTES_KEPT: usize = 192 << 20;
/// Of these, one principal's.
pub const IMPORTS_KEPT_OF_ONE: usize = 2;
/// Archives kept to be fetched.
pub const EXPORTS_KEPT: usize = 3;
/// How long files and archives are kept.
pub const KEPT_FOR: Duration = Duration::from_secs(3_600);
/// Bytes an entry may take in an export, for the room that is asked for beforehand (docs/performance.md: 1,063 of the 19 fields of an access).
pub const ENTRY_BYTES: u64 = 2_048;
/// How often the ledger is looked at for something to send to a webhook.
pub const WEBHOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a receiver that did not take an event is left alone at first.
pub const WEBHOOK_PAUSE_MIN: Duration = Duration::from_secs(1);
/// And at most, however often it does not.
pub const WEBHOOK_PAUSE_MAX: Duration = Duration::from_secs(60);
/// How often it is looked whether there is room on the ledger's disk.
pub const ROOM_EVERY: Duration = Duration::from_secs(1);
/// Bytes of the disk that an export leaves.
pub const EXPORT_LEFT_BYTES: u64 = 1 << 30;
