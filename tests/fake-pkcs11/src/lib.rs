//! A PKCS#11 module that forwards every call to a real module and goes wrong where it is told to.
//!
//! `FAKE_PKCS11_REAL` names the real module. `FAKE_PKCS11_PLAN` names a file that is read before each call; each of its lines is
//! `<call> <what> <times>`, where what is
//! - a number: the call returns this CKR code and, C_Sign apart, is not made,
//! - `hang:<milliseconds>`: it waits so long first,
//! - `lose`: the call is made and returns CKR_DEVICE_ERROR,
//! - `garbage`: C_Sign gives a signature with one bit turned,
//! - `logout`: somebody else logs out just before the call.
//!
//! Times are counted from when the file last changed. `FAKE_PKCS11_LOG` names a file to which each call's name is appended.
#![allow(non_snake_case, reason = "the names are the standard's")]

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use cryptoki_sys::{
    CK_ATTRIBUTE_PTR, CK_BYTE_PTR, CK_FLAGS, CK_FUNCTION_LIST, CK_FUNCTION_LIST_PTR_PTR, CK_MECHANISM_PTR, CK_NOTIFY, CK_OBJECT_HANDLE,
    CK_OBJECT_HANDLE_PTR, CK_RV, CK_SESSION_HANDLE, CK_SESSION_HANDLE_PTR, CK_SLOT_ID, CK_SLOT_ID_PTR, CK_TOKEN_INFO_PTR, CK_ULONG,
    CK_ULONG_PTR, CK_USER_TYPE, CK_UTF8CHAR_PTR, CK_VOID_PTR, CKR_DEVICE_ERROR, CKR_FUNCTION_FAILED, CKR_GENERAL_ERROR, CKR_OK, Pkcs11,
};

static REAL: OnceLock<Option<CK_FUNCTION_LIST>> = OnceLock::new();
static LIST: OnceLock<CK_FUNCTION_LIST> = OnceLock::new();
static PLAN: Mutex<Plan> = Mutex::new(Plan { text: String::new(), left: None });

/// The plan as last read, and how often each of its lines still applies.
struct Plan {
    text: String,
    left: Option<HashMap<usize, u64>>,
}

#[derive(Clone, PartialEq, Eq)]
enum Fault {
    None,
    Return(CK_RV),
    Lose,
    Garbage,
    Logout,
}

/// What the plan has for this call, once.
fn fault(call: &str) -> Fault {
    if let Some(mut log) =
        std::env::var_os("FAKE_PKCS11_LOG").and_then(|path| std::fs::OpenOptions::new().append(true).create(true).open(path).ok())
    {
        writeln!(log, "{call}").unwrap_or(());
    }
    let text = std::env::var_os("FAKE_PKCS11_PLAN").and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let what = take(call, &text);
    match what.as_str() {
        "" => Fault::None,
        "lose" => Fault::Lose,
        "garbage" => Fault::Garbage,
        "logout" => Fault::Logout,
        other => match other.strip_prefix("hang:").and_then(|ms| ms.parse().ok()) {
            Some(ms) => {
                std::thread::sleep(Duration::from_millis(ms));
                Fault::None
            }
            None => Fault::Return(other.parse().unwrap_or(CKR_GENERAL_ERROR)),
        },
    }
}

fn take(call: &str, text: &str) -> String {
    let mut plan = PLAN.lock().unwrap_or_else(PoisonError::into_inner);
    if plan.text != text {
        *plan = Plan { text: text.to_owned(), left: None };
    }
    let left = plan.left.get_or_insert_with(HashMap::new);
    for (n, line) in text.lines().enumerate() {
        let mut words = line.split_whitespace();
        let (Some(named), Some(what), Some(times)) = (words.next(), words.next(), words.next().and_then(|t| t.parse().ok())) else {
            continue;
        };
        let left = left.entry(n).or_insert(times);
        if named == call && *left > 0 {
            *left -= 1;
            return what.to_owned();
        }
    }
    String::new()
}

fn real() -> Option<&'static CK_FUNCTION_LIST> {
    REAL.get_or_init(|| {
        let path = std::env::var_os("FAKE_PKCS11_REAL")?;
        // SAFETY: the path is a PKCS#11 module's, or the test fails here. The library stays loaded, as it is never dropped.
        let library = Box::leak(Box::new(unsafe { Pkcs11::new(path) }.ok()?));
        let mut list = std::ptr::null_mut();
        // SAFETY: the module fills in the pointer, which is good for as long as it is loaded.
        let rv = unsafe { library.C_GetFunctionList(&mut list) };
        // SAFETY: as before, and checked.
        if rv == CKR_OK && !list.is_null() { Some(unsafe { *list }) } else { None }
    })
    .as_ref()
}

macro_rules! forward {
    ($($name:ident($($arg:ident: $ty:ty),*);)*) => {
        $(unsafe extern "C" fn $name($($arg: $ty),*) -> CK_RV {
            let fault = fault(stringify!($name));
            if let Fault::Return(rv) = fault {
                return rv;
            }
            let Some(call) = real().and_then(|real| real.$name) else { return CKR_FUNCTION_FAILED };
            // SAFETY: the arguments are passed on as they came.
            let rv = unsafe { call($($arg),*) };
            if fault == Fault::Lose { CKR_DEVICE_ERROR } else { rv }
        })*

        fn list() -> &'static CK_FUNCTION_LIST {
            LIST.get_or_init(|| {
                let mut list = real().copied().unwrap_or_default();
                $(list.$name = Some($name);)*
                list.C_SignInit = Some(C_SignInit);
                list.C_Sign = Some(C_Sign);
                list
            })
        }
    };
}

forward! {
    C_Initialize(args: CK_VOID_PTR);
    C_Finalize(reserved: CK_VOID_PTR);
    C_GetSlotList(present: cryptoki_sys::CK_BBOOL, slots: CK_SLOT_ID_PTR, count: CK_ULONG_PTR);
    C_GetTokenInfo(slot: CK_SLOT_ID, info: CK_TOKEN_INFO_PTR);
    C_OpenSession(slot: CK_SLOT_ID, flags: CK_FLAGS, application: CK_VOID_PTR, notify: CK_NOTIFY, session: CK_SESSION_HANDLE_PTR);
    C_CloseSession(session: CK_SESSION_HANDLE);
    C_Login(session: CK_SESSION_HANDLE, user: CK_USER_TYPE, pin: CK_UTF8CHAR_PTR, len: CK_ULONG);
    C_FindObjectsInit(session: CK_SESSION_HANDLE, template: CK_ATTRIBUTE_PTR, count: CK_ULONG);
    C_FindObjects(session: CK_SESSION_HANDLE, found: CK_OBJECT_HANDLE_PTR, max: CK_ULONG, count: CK_ULONG_PTR);
    C_FindObjectsFinal(session: CK_SESSION_HANDLE);
    C_GetAttributeValue(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, template: CK_ATTRIBUTE_PTR, count: CK_ULONG);
    C_DecryptInit(session: CK_SESSION_HANDLE, mechanism: CK_MECHANISM_PTR, key: CK_OBJECT_HANDLE);
    C_Decrypt(session: CK_SESSION_HANDLE, data: CK_BYTE_PTR, len: CK_ULONG, plain: CK_BYTE_PTR, plain_len: CK_ULONG_PTR);
}

unsafe extern "C" fn C_SignInit(session: CK_SESSION_HANDLE, mechanism: CK_MECHANISM_PTR, key: CK_OBJECT_HANDLE) -> CK_RV {
    let fault = fault("C_SignInit");
    let Some(real) = real() else { return CKR_FUNCTION_FAILED };
    if let Fault::Return(rv) = fault {
        return rv;
    }
    if let (Fault::Logout, Some(logout)) = (&fault, real.C_Logout) {
        // SAFETY: the session is the caller's.
        unsafe { logout(session) };
    }
    let Some(call) = real.C_SignInit else { return CKR_FUNCTION_FAILED };
    // SAFETY: the arguments are passed on as they came.
    let rv = unsafe { call(session, mechanism, key) };
    if fault == Fault::Lose { CKR_DEVICE_ERROR } else { rv }
}

unsafe extern "C" fn C_Sign(
    session: CK_SESSION_HANDLE,
    data: CK_BYTE_PTR,
    len: CK_ULONG,
    out: CK_BYTE_PTR,
    out_len: CK_ULONG_PTR,
) -> CK_RV {
    // Without room for a signature the caller only asks for its length.
    let fault = if out.is_null() { Fault::None } else { fault("C_Sign") };
    let Some(call) = real().and_then(|real| real.C_Sign) else { return CKR_FUNCTION_FAILED };
    // SAFETY: the arguments are passed on as they came.
    let rv = unsafe { call(session, data, len, out, out_len) };
    match fault {
        // An error ends the signing, says the standard, so the real module has to end it too.
        Fault::Return(code) => code,
        Fault::Lose => CKR_DEVICE_ERROR,
        Fault::Garbage if rv == CKR_OK => {
            // SAFETY: the real module has just written at least one byte there.
            unsafe { *out ^= 1 };
            rv
        }
        _ => rv,
    }
}

/// The module's entry point.
///
/// # Safety
/// `list` points to a pointer that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list_out: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    if list_out.is_null() || real().is_none() {
        return CKR_GENERAL_ERROR;
    }
    // SAFETY: not null, and the list lives as long as the library.
    unsafe { *list_out = std::ptr::from_ref(list()).cast_mut() };
    CKR_OK
}
