//! What every request goes through: who asks, whether the table lets them, within which limits; then the route; then what is recorded of the question
//! and told to the log. A route parses, calls, renders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use countersign_api::problem::Kind;
use countersign_api::roles::{Roles, Row, View};
use countersign_api::view::Eyes;
use countersign_entry::ids::{LeafIndex, Line, Token};
use countersign_entry::record::{Read, Role};
use countersign_entry::time::Micros;
use countersign_ledger::{Clock, CoseError, CoseRoot, Ledger};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer::{Failure, Highest, Marked, READ_HEADER};
use crate::append::{InFlight, Signing};
use crate::config::Config;
use crate::cursor::Cursors;
use crate::door::Door;
use crate::exports::Exports;
use crate::front::{Front, Route, word};
use crate::imports::Imports;
use crate::limits::{ASIDES_MAX, COSE_KEPT, FILES_AT_ONCE, LOOKS_MAX, TURN_PATIENCE};
use crate::metrics::Metrics;
use crate::oidc::{Nobody, Providers};
use crate::pasts::Pasts;
use crate::publish::Board;
use crate::rate::{Asker, Rates};
use crate::reads::{Asking, Reads, inquiry};
use crate::side::{Outage, Side};
use crate::who::{By, Caller, Known, Logins, Shown};

/// What the routes work with.
pub struct App {
    pub(crate) config: Config,
    pub(crate) origin: String,
    pub(crate) roles: Roles,
    pub(crate) door: Arc<Door>,
    pub(crate) side: Side,
    pub(crate) pasts: Arc<Pasts>,
    pub(crate) known: Arc<Known>,
    pub(crate) in_flight: InFlight,
    /// Lines of streams that wait for their receipts.
    pub(crate) streamed: Arc<AtomicUsize>,
    pub(crate) rates: Rates,
    pub(crate) reads: Reads,
    pub(crate) metrics: Metrics,
    pub(crate) looks: Arc<Semaphore>,
    /// Looks through a handle apart, at what takes long.
    pub(crate) asides: Arc<Semaphore>,
    pub(crate) cursors: Cursors,
    pub(crate) marked: Arc<Highest>,
    pub(crate) cose: Mutex<BTreeMap<u64, CoseRoot>>,
    /// Whoever has one of those signed.
    pub(crate) cose_turn: Arc<Semaphore>,
    pub(crate) providers: Arc<Providers>,
    pub(crate) imports: Imports,
    /// Files that are read at once.
    pub(crate) files: Arc<Semaphore>,
    pub(crate) exports: Exports,
    /// One change of a directory at a time: what it comes to follows from what the one before left.
    pub(crate) scim: tokio::sync::Mutex<()>,
    pub(crate) board: Board,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) stopping: tokio::sync::watch::Receiver<bool>,
}

/// A shared [`App`].
pub type Shared = Arc<App>;

/// What the middleware knows of a request, for its route.
#[derive(Debug, Clone)]
pub struct Asked {
    pub(crate) caller: Option<Arc<Caller>>,
    shown: Arc<Shown>,
    /// How much they see.
    pub view: View,
    /// Whether a role of theirs shows them what is recorded of themselves, beside what `view` shows of others.
    pub own: bool,
    /// The route.
    pub(crate) route: Arc<Route>,
    /// When they asked.
    at: Micros,
    /// What it says of signatures.
    pub signing: Signing,
    /// The inquiry it is asked under, where one is named.
    inquiry: Option<Line>,
}

impl Asked {
    /// Who asks.
    ///
    /// # Errors
    /// Nobody who is known; the table lets those to the public plane alone, so this is a line too many in it.
    pub fn caller(&self) -> Result<&Arc<Caller>, Failure> {
        self.caller.as_ref().ok_or_else(|| Kind::Unauthenticated.into())
    }

    /// In whose eyes records are looked at: in the ethics officer's only where the table says so, and in the inspector's only under an inquiry.
    pub fn eyes(&self) -> Eyes {
        let (roles, organization) = self.caller.as_ref().map(|c| (c.roles.clone(), c.organization.clone())).unwrap_or_default();
        let counts = |role: &Role| match role {
            Role::EthicsOfficer => self.view == View::Full,
            Role::InspectorGeneral => self.inquiry.is_some(),
            _ => true,
        };
        Eyes { roles: roles.into_iter().filter(counts).collect(), organization, at: self.at }
    }

    /// A question of theirs as it is recorded.
    ///
    /// # Errors
    /// It is no line.
    pub(crate) fn read(&self, question: Question) -> Result<Read, Failure> {
        let of = |_: countersign_entry::ids::IdError| Kind::Validation;
        Ok(Read {
            question: Token::new(question.what).map_err(of)?,
            subject: Line::new(question.subject).map_err(of)?,
            rows: u64::try_from(question.rows).unwrap_or(u64::MAX),
            as_of: question.as_of,
            inquiry: self.inquiry.clone(),
        })
    }

    /// Whether they may know how much is committed, and not only how much is published: everybody who works here. Witnesses cosign what is published,
    /// and a directory needs neither.
    pub fn knows_committed(&self) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.roles.iter().any(|role| !matches!(role, Role::Witness | Role::Provisioner)))
    }

    /// Whether nothing is hidden from them: they see why, of everybody ([`Facts::keeps`](countersign_conflict::Facts::keeps)).
    pub fn sees_all(&self) -> bool {
        self.sees_why() && self.caller.as_ref().is_some_and(|caller| caller.keeps)
    }

    /// Whether they see why.
    pub fn sees_why(&self) -> bool {
        self.view == View::Full
    }
}

/// A question that is answered: what is recorded of it before the answer goes out.
#[derive(Debug, Clone)]
pub struct Question {
    /// What was asked.
    pub what: &'static str,
    /// About whom or what: an id, never a name.
    pub subject: String,
    /// Rows that came back.
    pub rows: usize,
    /// Size the answer is true for.
    pub as_of: u64,
}

/// Routes, each with its line in the table.
pub struct Routes {
    router: Router<Shared>,
    listed: Vec<(&'static str, String)>,
}

impl Routes {
    /// None yet.
    pub fn new() -> Self {
        Self { router: Router::new(), listed: Vec::new() }
    }

    /// One more.
    #[must_use]
    pub fn add<H, T>(mut self, method: &'static str, path: &str, handler: H) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        let filter = match method {
            "POST" => MethodFilter::POST,
            "PATCH" => MethodFilter::PATCH,
            "PUT" => MethodFilter::PUT,
            _ => MethodFilter::GET,
        };
        self.listed.push((method, path.to_owned()));
        self.router = self.router.route(path, on(filter, handler));
        self
    }

    /// Method and template of each.
    pub fn listed(&self) -> &[(&'static str, String)] {
        &self.listed
    }

    /// Behind everything a request goes through.
    ///
    /// # Errors
    /// Two templates that some path fits both.
    pub fn front(self, app: &Shared) -> Result<Front, String> {
        let mut templates = matchit::Router::new();
        for template in self.listed.iter().map(|(_, template)| template.as_str()).collect::<BTreeSet<_>>() {
            templates.insert(template, Route::of(template)).map_err(|e| format!("{template}: {e}"))?;
        }
        let router = self
            .router
            .method_not_allowed_fallback(|| async { Failure::from(Kind::Method) })
            .fallback(|| async { Failure::from(Kind::NotFound) })
            .with_state(Arc::clone(app));
        Ok(Front::of(app, templates, router))
    }
}

impl Default for Routes {
    fn default() -> Self {
        Self::new()
    }
}

/// Seconds after which revocation lists were read again.
const RETRY_LISTS: u32 = 30;

/// Why a request does not get to its route.
enum Refused {
    For(Failure),
    /// A token names a key of this provider that is not known, and may be with the next look.
    Key(usize),
}

impl Refused {
    fn failure(self) -> Failure {
        match self {
            Self::For(failure) => failure,
            Self::Key(_) => Kind::Unauthenticated.into(),
        }
    }
}

impl<T: Into<Failure>> From<T> for Refused {
    fn from(why: T) -> Self {
        Self::For(why.into())
    }
}

impl App {
    /// Whether a request gets to its route, asking a provider for its keys once more where it may have new ones.
    pub(crate) async fn admitted(
        &self,
        shown: &Arc<Shown>,
        method: &Method,
        headers: &HeaderMap,
        route: &Arc<Route>,
    ) -> Result<Asked, Failure> {
        let logins = self.logins().await?;
        let admitted = match self.admit(&logins, shown, method, headers, route) {
            Err(Refused::Key(place)) => {
                // In a box, as whatever is seldom: a request's future is made anew and moved for each.
                Box::pin(self.providers.refresh(place)).await;
                self.admit(&logins, shown, method, headers, route)
            }
            admitted => admitted,
        };
        admitted.map_err(Refused::failure)
    }

    /// As [`App::admitted`], in the order of what costs least to refuse.
    fn admit(
        &self,
        logins: &Logins,
        shown: &Arc<Shown>,
        method: &Method,
        headers: &HeaderMap,
        route: &Arc<Route>,
    ) -> Result<Asked, Refused> {
        let caller = match self.who(logins, shown, headers) {
            // A token whose key is not known yet comes here again.
            Err(Refused::For(failure)) => {
                self.rates.take(Asker::Refused, &self.config.limits)?;
                return Err(failure.into());
            }
            who => who?,
        };
        self.rates.take(caller.as_ref().map_or(Asker::Nobody, |c| Asker::Known(c.principal.clone())), &self.config.limits)?;
        if caller.is_none() && !self.config.anonymous {
            return Err(Kind::Unauthenticated.into());
        }
        // HEAD asks what GET would.
        let method = if method == Method::HEAD { "GET" } else { word(method) };
        // Where there is no such route, the fallbacks say so to whoever is known.
        let Some(row) = self.roles.find(method, &route.template) else {
            return Ok(Asked {
                caller,
                shown: Arc::clone(shown),
                view: View::Public,
                own: false,
                route: Arc::clone(route),
                at: self.clock.now(),
                signing: Signing::default(),
                inquiry: None,
            });
        };
        let inquiry = inquiry(headers)?;
        let view = self.view(row, caller.as_deref(), inquiry.is_some())?;
        let signing = Signing::of(headers)?;
        if !signing.is_none() && !countersign_api::openapi::writes(row) {
            return Err(Kind::Validation.problem().saying("This records no single thing, so there is nothing to sign.").into());
        }
        let own = caller.as_ref().is_some_and(|c| self.roles.shows_own(row, &c.roles));
        Ok(Asked { caller, shown: Arc::clone(shown), view, own, route: Arc::clone(route), at: self.clock.now(), signing, inquiry })
    }

    /// How much somebody sees on a route. What an inspector reads of the records as such is read under an inquiry (5 U.S.C. 406(a)(1)); what is recorded
    /// of oneself is not.
    fn view(&self, row: &Row, caller: Option<&Caller>, inquires: bool) -> Result<View, Kind> {
        let roles = caller.map(|caller| caller.roles.as_slice());
        let refused = if roles.is_some() { Kind::ForbiddenRole } else { Kind::Unauthenticated };
        let view = self.roles.view(row, roles).ok_or(refused)?;
        let inspects = || roles.is_some_and(|roles| self.roles.rests_on(row, roles, Role::InspectorGeneral));
        if row.recorded && !inquires && view != View::Own && inspects() { Err(Kind::InquiryMissing) } else { Ok(view) }
    }

    fn who(&self, logins: &Logins, shown: &Shown, headers: &HeaderMap) -> Result<Option<Arc<Caller>>, Refused> {
        logins.who(shown, headers, self.by()).map_err(|nobody| match nobody {
            Nobody::No => Kind::Unauthenticated.into(),
            Nobody::Unchecked => Failure::from(Kind::Revocation).retry_after(RETRY_LISTS).into(),
            Nobody::Key(place) => Refused::Key(place),
        })
    }

    /// The logins as they stand after the newest entry that changes any. One reads them, and whoever asks meanwhile waits for that.
    pub(crate) async fn logins(&self) -> Result<Arc<Logins>, Failure> {
        if let Ok(logins) = self.known.current() {
            return Ok(logins);
        }
        let reading = self.known.reading.lock().await;
        let version = match self.known.current() {
            Ok(logins) => return Ok(logins),
            Err(version) => version,
        };
        let logins = Arc::new(Box::pin(self.look(|ledger| Ok(Logins::of(ledger.facts())))).await?);
        self.known.keep(version, Arc::clone(&logins));
        drop(reading);
        Ok(logins)
    }

    /// Whoever was let in a while ago, as they would be let in now by what they showed then.
    ///
    /// # Errors
    /// They would not be, or with another view, or nobody can say.
    pub(crate) async fn again(&self, asked: &Asked, method: &str, headers: &HeaderMap) -> Result<Asked, Failure> {
        let logins = self.logins().await?;
        let caller = self.who(&logins, &asked.shown, headers).map_err(Refused::failure)?.ok_or(Kind::Unauthenticated)?;
        let row = self.roles.find(method, &asked.route.template).ok_or(Kind::ForbiddenRole)?;
        let view = self.view(row, Some(&caller), asked.inquiry.is_some())?;
        let same = asked.caller.as_ref().is_some_and(|before| before.principal == caller.principal);
        if !same || view != asked.view {
            return Err(Kind::ForbiddenRole.into());
        }
        Ok(Asked { caller: Some(caller), at: self.clock.now(), ..asked.clone() })
    }

    fn by(&self) -> By<'_> {
        By { origin: &self.origin, now: self.clock.now(), providers: &self.providers }
    }

    /// Looks at the ledger, on a thread that may wait.
    ///
    /// # Errors
    /// As the look says; [`Kind::Overloaded`] where so many look that none gets a turn; [`Kind::Internal`] where the ledger is gone.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Ledger) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (door, side) = (Arc::clone(&self.door), self.side.clone());
        in_turn(&self.looks, move || {
            // First: whoever opens the ledger meanwhile makes it another outage, so no handle is taken for newer than it is.
            let (opened, mut look) = (door.opened(), Some(look));
            let looked = door.read(|ledger| {
                // What a commit that did not come through left in memory is not shown.
                let ahead = ledger.key_is_away() || ledger.read_only().is_some();
                if ahead { Err((ledger.size(), ledger.key_is_away())) } else { Ok(look.take().map(|look| look(ledger))) }
            });
            match (looked, look) {
                (Some(Ok(Some(answer))), _) => answer,
                (looked, Some(look)) => {
                    let sealed = side.during(Outage { opened, stands: looked.and_then(Result::err) })?;
                    look(&sealed)
                }
                (_, None) => Err(Kind::Internal.into()),
            }
        })
        .await
    }

    /// Looks at the ledger through a handle of its own, for what takes long: it stops nobody.
    ///
    /// # Errors
    /// As [`App::look`].
    pub(crate) async fn look_aside<T: Send + 'static>(
        &self,
        size: u64,
        look: impl FnOnce(&Ledger) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let side = self.side.clone();
        in_turn(&self.asides, move || {
            let ledger = side.of_size(size)?;
            look(&ledger)
        })
        .await
    }

    /// Takes down what was asked, before the answer goes out. Where nothing can be recorded now the answer goes out all the same and says so; where so
    /// much waits to be recorded that no more is taken, it does not.
    pub(crate) async fn record_question(&self, asked: &Asked, mut response: Response) -> Response {
        let one = response.extensions_mut().remove::<Question>();
        if asked.caller.is_none() {
            return response;
        }
        for question in one.into_iter().chain(response.extensions_mut().remove::<Vec<Question>>().unwrap_or_default()) {
            if let Err(failure) = self.record_one(asked, question) {
                return failure.into_response();
            }
            if self.reads.are_held() {
                response.headers_mut().insert(READ_HEADER, HeaderValue::from_static("waiting"));
            }
        }
        response
    }

    /// Has one question recorded.
    ///
    /// # Errors
    /// Nobody who is known asks, or too many questions wait.
    pub(crate) fn record_one(&self, asked: &Asked, question: Question) -> Result<(), Failure> {
        let recorded = self.reads.record(Asking { principal: asked.caller()?.principal.clone(), read: asked.read(question)? });
        if recorded { Ok(()) } else { Err(Kind::Overloaded.into()) }
    }

    /// The signature over the root of a size, as RFC 9942 has it: made when it is first asked for, then kept for a while, since whoever asks for one
    /// receipt of a commit asks for others. One is made at a time, since the next commit waits for it.
    pub(crate) async fn cose_root(&self, size: u64) -> Result<CoseRoot, Failure> {
        let kept = || self.cose.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(root) = kept().get(&size).cloned() {
            return Ok(root);
        }
        let turn = Arc::clone(&self.cose_turn).try_acquire_owned().map_err(|_| Kind::Overloaded)?;
        let (told, answer) = tokio::sync::oneshot::channel();
        let asked = self.door.with(move |ledger| {
            // Whoever asked may be gone.
            drop(told.send(ledger.cose_root(size)));
            drop(turn);
        });
        asked.map_err(|_| Kind::Overloaded)?;
        let made = answer.await.map_err(|_| Failure::from(Kind::Internal))?;
        let root = made.map_err(|e| match e {
            CoseError::Size(_) => Kind::NotFound,
            CoseError::Key(_) => Kind::KeyUnavailable,
        })?;
        let mut kept = kept();
        if kept.len() >= COSE_KEPT {
            kept.pop_first();
        }
        kept.insert(size, root.clone());
        Ok(root)
    }

    /// What the clock says.
    pub(crate) fn now(&self) -> Micros {
        self.clock.now()
    }

    /// Whether a watch list may show in what is answered. What is recorded of the question then names rows by their entries: inspectors read that, and of
    /// a watch list not even the ids.
    pub(crate) fn may_tell_of_watch_lists(&self, asked: &Asked) -> bool {
        self.roles.find("GET", &asked.route.template).is_some_and(|row| row.watch)
    }

    /// The store's highest marking, for what names no submission.
    pub(crate) fn marking(&self) -> Arc<Marked> {
        self.marked.now()
    }

    /// How many looks run at once.
    pub(crate) fn looks() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(LOOKS_MAX))
    }

    /// How many looks run at once through handles apart.
    pub(crate) fn asides() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(ASIDES_MAX))
    }

    /// How many files are read at once.
    pub(crate) fn files() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(FILES_AT_ONCE))
    }
}

/// Runs something that blocks, in its turn. The turn is given back when it is done: a request that is out of time leaves it running.
async fn in_turn<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let turn = tokio::time::timeout(TURN_PATIENCE, Arc::clone(turns).acquire_owned()).await;
    let turn: OwnedSemaphorePermit = turn.map_err(|_| Kind::Overloaded)?.map_err(|_| Kind::Internal)?;
    let worked = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
        done
    });
    worked.await.map_err(|_| Failure::from(Kind::Internal))?
}

/// An entry's number out of a path.
///
/// # Errors
/// It is none.
pub(crate) fn entry(text: &str) -> Result<LeafIndex, Failure> {
    text.parse().map(LeafIndex).map_err(|_| Kind::NotFound.into())
}
