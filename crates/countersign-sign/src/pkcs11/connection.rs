//! The state of speaking to a module, and the ladder that is climbed when it fails: try again, find the key again, log in again, a new session,
//! initialise the module again. Each rung throws away what the one before still relied on; what is missing is made anew on the next try.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;

use super::thread::{Progress, Shared, lock};
use super::{Class, Place, TokenError};
use crate::pin::{self, Stamp};

/// A rung of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// The same once more.
    Again,
    /// With the key looked up anew: its handle may have died with a login.
    FindKey,
    /// Logged in anew: somebody logged out.
    LogIn,
    /// In a new session.
    NewSession,
    /// With the module initialised anew: all that some modules come back by.
    Initialise,
}

const LADDER: [Rung; 5] = [Rung::Again, Rung::FindKey, Rung::LogIn, Rung::NewSession, Rung::Initialise];

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Again => "trying again",
            Self::FindKey => "finding the key again",
            Self::LogIn => "logging in again",
            Self::NewSession => "a new session",
            Self::Initialise => "initialising the module again",
        })
    }
}

/// Something failed at first; how it went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Climb {
    /// What failed first.
    pub first: String,
    /// What helped; `None` where nothing did.
    pub rung: Option<Rung>,
    /// How long it took.
    pub took: Duration,
}

/// What went wrong in one try.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The module said so.
    Call(Error),
    /// The token answered something that does not hold.
    Garbage(&'static str),
    /// May be cured higher up; if not, this is what it was. Before login, for one, private keys look absent.
    Perhaps(TokenError),
    /// No rung helps.
    Final(TokenError),
}

impl From<Error> for Fault {
    fn from(e: Error) -> Self {
        Self::Call(e)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(e) => f.write_str(&words(e)),
            Self::Garbage(what) => f.write_str(what),
            Self::Perhaps(e) | Self::Final(e) => e.fmt(f),
        }
    }
}

/// A module's error, short.
pub(crate) fn words(e: &Error) -> String {
    match e {
        Error::Pkcs11(code, function) => format!("C_{function:?} says {code:?}"),
        other => other.to_string(),
    }
}

/// A key as it is looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub(crate) class: Class,
    pub(crate) label: String,
    /// The public key it must have, as in a vkey.
    pub(crate) pinned: Option<Vec<u8>>,
}

struct LoggedIn {
    session: Session,
    logged_in: bool,
    keys: BTreeMap<Wanted, ObjectHandle>,
}

/// One thread's way to a module.
pub(crate) struct Connection {
    path: PathBuf,
    shared: Arc<Shared>,
    progress: Arc<Progress>,
    tokens: BTreeMap<String, LoggedIn>,
    refused: BTreeMap<String, (Stamp, TokenError)>,
}

impl Connection {
    pub(crate) fn new(path: PathBuf, shared: Arc<Shared>, progress: Arc<Progress>) -> Self {
        Self { path, shared, progress, tokens: BTreeMap::new(), refused: BTreeMap::new() }
    }

    pub(crate) fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Drops the session of a token.
    pub(crate) fn forget(&mut self, place: &Place) {
        drop(self.tokens.remove(&place.token));
    }

    /// Does something in a logged-in token, rung by rung if need be.
    pub(crate) fn climb<T>(&mut self, place: &Place, op: &mut dyn FnMut(&mut Self) -> Result<T, Fault>) -> Result<T, TokenError> {
        let began = Instant::now();
        self.progress.at("a call");
        let mut fault = match op(self) {
            Ok(done) => return Ok(done),
            Err(Fault::Final(e)) => return Err(e),
            Err(fault) => fault,
        };
        let first = fault.to_string();
        for rung in LADDER {
            if self.progress.ended() {
                break;
            }
            self.progress.at(&rung.to_string());
            let tried = self.prepare(rung, place).and_then(|()| op(self));
            let took = began.elapsed();
            match tried {
                Ok(done) => {
                    *lock(&self.shared.climb) = Some(Climb { first, rung: Some(rung), took });
                    return Ok(done);
                }
                Err(Fault::Final(e)) => {
                    *lock(&self.shared.climb) = Some(Climb { first, rung: None, took });
                    return Err(e);
                }
                Err(later) => fault = later,
            }
        }
        *lock(&self.shared.climb) = Some(Climb { first: first.clone(), rung: None, took: began.elapsed() });
        Err(match fault {
            Fault::Perhaps(e) => e,
            last => TokenError::Away(format!("{first}; after a new session and initialising the module again: {last}")),
        })
    }

    /// Throws away what a rung no longer relies on.
    fn prepare(&mut self, rung: Rung, place: &Place) -> Result<(), Fault> {
        let token = self.tokens.get_mut(&place.token);
        match (rung, token) {
            (Rung::Again, _) | (Rung::FindKey | Rung::LogIn, None) => {}
            (Rung::FindKey, Some(token)) => token.keys.clear(),
            (Rung::LogIn, Some(token)) => {
                token.keys.clear();
                token.logged_in = false;
            }
            (Rung::NewSession, _) => self.forget(place),
            (Rung::Initialise, _) => self.initialise_again()?,
        }
        Ok(())
    }

    /// The session of a logged-in token.
    pub(crate) fn session(&mut self, place: &Place) -> Result<&Session, Fault> {
        if !self.tokens.contains_key(&place.token) {
            let slot = self.slot(place)?;
            let session = self.library()?.open_ro_session(slot)?;
            self.tokens.insert(place.token.clone(), LoggedIn { session, logged_in: false, keys: BTreeMap::new() });
        }
        let Some(token) = self.tokens.get_mut(&place.token) else { return Err(Fault::Garbage("the session is gone")) };
        if !token.logged_in {
            log_in(&token.session, place, &mut self.refused)?;
            token.logged_in = true;
        }
        Ok(&token.session)
    }

    /// A session that may change the token, logged in as its sessions share one login.
    pub(crate) fn changing_session(&mut self, place: &Place) -> Result<Session, Fault> {
        self.session(place)?;
        let slot = self.slot(place)?;
        Ok(self.library()?.open_rw_session(slot)?)
    }

    /// The handle of a key, held against its pinned public key when it is looked up.
    pub(crate) fn key(&mut self, place: &Place, wanted: &Wanted) -> Result<(&Session, ObjectHandle), Fault> {
        let known = self.tokens.get(&place.token).filter(|t| t.logged_in).and_then(|t| t.keys.get(wanted).copied());
        let handle = match known {
            Some(handle) => handle,
            None => {
                let handle = self.find(place, wanted)?;
                if let Some(token) = self.tokens.get_mut(&place.token) {
                    token.keys.insert(wanted.clone(), handle);
                }
                handle
            }
        };
        Ok((self.session(place)?, handle))
    }

    /// The one slot whose token has the label. Slot numbers change; labels do not.
    pub(crate) fn slot(&mut self, place: &Place) -> Result<Slot, Fault> {
        let library = self.library()?;
        let mut found = Vec::new();
        for slot in library.get_slots_with_token()? {
            // A broken reader beside ours is not our trouble.
            if library.get_token_info(slot).is_ok_and(|info| info.label() == place.token) {
                found.push(slot);
            }
        }
        match found.as_slice() {
            [slot] => Ok(*slot),
            _ => Err(Fault::Perhaps(TokenError::Tokens { token: place.token.clone(), count: found.len() })),
        }
    }

    pub(crate) fn library(&mut self) -> Result<Pkcs11, Fault> {
        let mut slot = lock(&self.shared.library);
        if let Some(library) = &*slot {
            return Ok(library.clone());
        }
        let broken = |e: Error| Fault::Final(TokenError::Module { path: self.path.clone(), what: words(&e) });
        let library = Pkcs11::new(&self.path).map_err(broken)?;
        initialise(&library)?;
        Ok(slot.insert(library).clone())
    }

    /// Only this thread may be in the module: with another hanging in it, finalising is undefined.
    fn initialise_again(&mut self) -> Result<(), Fault> {
        let library = self.library()?;
        if self.shared.hung.load(Ordering::SeqCst) > 0 {
            return Err(Fault::Perhaps(TokenError::Away("the module cannot be initialised again while a call in it hangs".into())));
        }
        self.tokens.clear();
        match library.clone().finalize() {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiNotInitialized, _)) => {}
            Err(e) => return Err(e.into()),
        }
        initialise(&library)
    }
}

fn initialise(library: &Pkcs11) -> Result<(), Fault> {
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Logs in, unless the token refused this very PIN before.
fn log_in(session: &Session, place: &Place, refused: &mut BTreeMap<String, (Stamp, TokenError)>) -> Result<(), Fault> {
    let (pin, stamp) = pin::read(&place.pin_file).map_err(|e| Fault::Final(e.into()))?;
    if let Some((_, e)) = refused.get(&place.token).filter(|(before, _)| *before == stamp) {
        return Err(Fault::Final(e.clone()));
    }
    match session.login(UserType::User, Some(&pin)) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(e @ Error::Pkcs11(code, Function::Login)) if is_about_pin(code) => {
            let refusal = TokenError::PinRefused { token: place.token.clone(), what: words(&e) };
            refused.insert(place.token.clone(), (stamp, refusal.clone()));
            Err(Fault::Final(refusal))
        }
        Err(e) => Err(e.into()),
    }
}

fn is_about_pin(code: RvError) -> bool {
    use RvError::{PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked, PinTooWeak, UserPinNotInitialized};
    matches!(code, PinIncorrect | PinInvalid | PinLenRange | PinExpired | PinLocked | PinTooWeak | UserPinNotInitialized)
}
