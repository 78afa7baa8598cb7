//! Problems, RFC 9457. What a response says is fixed here and in what the caller is told to do; causes go to the log, by kind, and nowhere else.

use serde::{Deserialize, Serialize};

/// A problem as a client reads it (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// `urn:countersign:problem:…`, one for each [`Kind`].
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is, the same words each time.
    pub title: String,
    /// The response's status.
    pub status: u16,
    /// What happened here and what to do.
    pub detail: String,
    /// What it is about: an entry or a reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Whether something was recorded: `true`, `false`, or none where that is unknown and the request is to be repeated with its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<bool>,
    /// The canonical request in base64, where it is to be signed (ledger-format section 9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What may lawfully be done about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<String>,
    /// What joins it to its line in the service's log: the trace id of W3C Trace Context, the client's own where it sent a valid `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9a-f]{32}$"))]
    pub trace_id: Option<String>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:literal, $title:literal, $detail:literal, $recorded:expr;)*) => {
        /// Every kind of problem there is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// All of them, for the documents and the tests.
            pub const ALL: &[Kind] = &[$(Kind::$name,)*];

            /// The last part of its type.
            pub fn slug(self) -> &'static str {
                match self { $(Kind::$name => $slug,)* }
            }

            /// Its status.
            pub fn status(self) -> u16 {
                match self { $(Kind::$name => $status,)* }
            }

            /// The problem, in the words it has where nothing more can be said.
            pub fn problem(self) -> Problem {
                let (title, detail, recorded): (&str, &str, Option<bool>) = match self { $(Kind::$name => ($title, $detail, $recorded),)* };
                Problem {
                    kind: format!("urn:countersign:problem:{}", self.slug()),
                    title: title.to_owned(),
                    status: self.status(),
                    detail: detail.to_owned(),
                    instance: None,
                    recorded,
                    request: None,
                    remedies: Vec::new(),
                    trace_id: None,
                }
            }
        }
    };
}

const NO: Option<bool> = Some(false);

kinds! {
    /// The request does not read.
    Validation = "validation", 400, "The request is not what it has to be", "The request does not fit its schema.", NO;
    /// A cursor that is not of this ledger's making, or of another question.
    Cursor = "cursor", 422, "The cursor is no good", "Begin again without a cursor.", NO;
    /// A filter of SCIM that is not one of the few there are.
    Filter = "filter", 400, "The filter is not one that is known", "A filter is userName eq \"…\" or externalId eq \"…\".", NO;
    /// A POST without a key.
    KeyMissing = "idempotency-key-missing", 400, "An Idempotency-Key is needed", "Send an Idempotency-Key header: 16 to 64 letters, digits, '-' or '_', new for each request and the same when you repeat it.", NO;
    /// Nobody is known to ask.
    Unauthenticated = "unauthenticated", 401, "Who is asking is not known", "Show a client certificate or a key that is linked to a principal of this ledger.", NO;
    /// The role does not allow it.
    ForbiddenRole = "forbidden-role", 403, "This is not for your role", "No role of yours allows this.", NO;
    /// It is about somebody whose filings another agency's ethics office keeps.
    ForbiddenAgency = "forbidden-agency", 403, "Another agency's ethics office records that", "Nothing was recorded. Whom this is about serves in another agency: its own ethics office records and decides it, or one that policy names (5 U.S.C. 552a(b)(3)).", NO;
    /// Whoever decides is recused from it.
    ForbiddenRecused = "forbidden-recused", 403, "You are recused from this", "Nothing was recorded. You are recused from what this is about, so somebody else has to decide (18 U.S.C. 208(a)).", NO;
    /// An inspector reads what is recorded and says not for which inquiry (5 U.S.C. 406(a)(1)).
    InquiryMissing = "inquiry-missing", 403, "An inquiry has to be named", "Name the inquiry you read this under, in Countersign-Inquiry.", NO;
    /// There is nothing there, or nothing this role may know of.
    NotFound = "not-found", 404, "There is nothing here", "Nothing of this name is recorded, or nothing you may see.", NO;
    /// Another method.
    Method = "method-not-allowed", 405, "This cannot be done here", "The Allow header says what can be done here.", NO;
    /// None of the forms an answer has.
    /// The client was too slow.
    Timeout = "timeout", 408, "The request took too long", "If it records something, repeat it with the same key: whether it was recorded is unknown.", None;
    /// The same request is on its way.
    KeyInUse = "idempotency-in-progress", 409, "The same request is being worked on", "Wait and repeat it with the same key.", None;
    /// The id is taken.
    Exists = "exists", 409, "It exists already", "To change it, send a PATCH with the ETag of what it takes the place of.", NO;
    /// The grant cannot move so.
    Move = "grant-state", 409, "The grant cannot move so", "Look where the grant stands.", NO;
    /// A request that was recorded and not cleared.
    NotCleared = "not-cleared", 409, "Not cleared", "Not cleared. The ethics office can decide.", Some(true);
    /// Its data key was destroyed.
    Erased = "erased", 410, "It was erased", "Its data key was destroyed. That it was recorded can be proven; nobody can read it.", NO;
    /// It was changed since.
    StaleEtag = "stale-etag", 412, "It was changed since you looked", "Look at it again and send the new ETag.", NO;
    /// Too long.
    TooLarge = "too-large", 413, "The request is too long", "Send less at once; access events may come as a stream of lines.", NO;
    /// Another form.
    MediaType = "media-type", 415, "The body is of a form that is not taken", "Send application/json.", NO;
    /// The key named another request.
    KeyReused = "idempotency-key-reused", 422, "The key was used for another request", "Take a new key.", NO;
    /// A rule of the ledger stands against it.
    Invalid = "invalid", 422, "It cannot be recorded as it is", "A rule of the ledger stands against it.", NO;
    /// It refers to something that is not recorded.
    UnknownReference = "unknown-reference", 422, "It refers to something that is not recorded", "Record that first.", NO;
    /// A PATCH without the ETag it changes.
    EtagMissing = "etag-missing", 428, "An ETag is needed", "Send If-Match with the ETag of what you change.", NO;
    /// It is recorded with the signature of whoever asks, or they want to know what to sign.
    ToBeSigned = "to-be-signed", 422, "It is to be signed by whoever asks", "Nothing was recorded. Send it with Countersign-Draft: true to get its canonical request, sign that with your own key, and send it again with Countersign-Signature: the COSE_Sign1 in base64.", NO;
    /// Too much asked by one principal.
    RateLimited = "rate-limited", 429, "You ask too much at once", "Wait as long as Retry-After says.", NO;
    /// Headers too long.
    HeadersTooLarge = "headers-too-large", 431, "The headers are too long", "Send fewer or shorter headers.", NO;
    /// A defect.
    Internal = "internal", 500, "Something failed that should not", "Whether it was recorded is unknown: repeat the request with the same key.", None;
    /// It is not known whether it was recorded.
    Unknown = "outcome-unknown", 503, "Whether it was recorded is unknown", "Repeat the request with the same key: you get the receipt of the first recording, or a new one.", None;
    /// The ledger only reads.
    ReadOnly = "ledger-read-only", 503, "The ledger takes nothing", "Nothing was recorded. The operator has to look at the ledger; reading goes on.", NO;
    /// The key is away.
    KeyUnavailable = "key-unavailable", 503, "The signing key is away", "Nothing was recorded. Try again when the key is back; reading goes on.", NO;
    /// Too much is waiting.
    Overloaded = "overloaded", 503, "Too much is waiting", "Try again after a moment. If it records something, repeat it with the same key: whether it was recorded is unknown.", None;
    /// The clock lies behind the newest entry.
    Clock = "clock", 503, "The ledger's clock is wrong", "Nothing was recorded. The operator has to set the clock right.", NO;
    /// Whether a client certificate was revoked is not known.
    Revocation = "revocation-unknown", 503, "Whether certificates were revoked is not known", "The operator has to bring a newer revocation list.", NO;
    /// No room.
    DiskLow = "disk-low", 507, "There is no room left", "Nothing was recorded. The operator has to make room.", NO;
}

impl Problem {
    /// With a detail. It must hold nothing that was sent and nothing that is stored, but ids of entries and references.
    #[must_use]
    pub fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Which of the kinds it is.
    pub fn which(&self) -> Option<Kind> {
        let slug = self.kind.rsplit(':').next()?;
        Kind::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }

    /// About an entry.
    #[must_use]
    pub fn about(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_kind_has_its_own_name_and_an_error_status() {
        let slugs: BTreeSet<&str> = Kind::ALL.iter().map(|k| k.slug()).collect();
        assert_eq!(slugs.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let problem = kind.problem();
            assert!((400..600).contains(&problem.status) && problem.detail.ends_with('.'), "{problem:?}");
        }
    }
}
