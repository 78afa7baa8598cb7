//! Where a provider's keys come from: a file, or an https address with roots of its own.

use std::path::PathBuf;

use axum::http::{Request, StatusCode, header};
use bytes::Bytes;

use crate::client::{Address, AskError, BYTES_MAX};
use crate::config::Oidc;

/// Why keys cannot be had. Names files and addresses of the configuration alone.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file, or an address.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The configuration names no place keys may come from.
    #[error("{0}")]
    Config(&'static str),
}

/// Where keys come from.
pub(super) enum Source {
    File(PathBuf),
    Address(Address),
}

impl Source {
    pub(super) fn new(config: &Oidc) -> Result<Self, KeysError> {
        match (&config.keys, &config.keys_url, &config.keys_roots) {
            (Some(path), None, None) => Ok(Self::File(path.clone())),
            (None, Some(url), Some(roots)) => Ok(Self::Address(Address::new(url, Some(roots))?)),
            _ => Err(KeysError::Config("oidc: name either keys, a file, or keys_url and keys_roots")),
        }
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// The set of keys as it stands there.
    pub(super) async fn keys(&self) -> Result<Bytes, KeysError> {
        match self {
            Self::File(path) => {
                let from = path.clone();
                let read = tokio::task::spawn_blocking(move || std::fs::read(from)).await;
                let bad = |what: String| AskError::File { path: path.clone(), what };
                let bytes = read.map_err(|e| bad(e.to_string()))?.map_err(|e| bad(e.to_string()))?;
                if bytes.len() > BYTES_MAX { Err(bad(format!("is longer than {BYTES_MAX} bytes")).into()) } else { Ok(bytes.into()) }
            }
            Self::Address(address) => {
                let request = Request::get("/").header(header::ACCEPT, "application/json");
                let (status, body) = address.ask(request, Bytes::new()).await?;
                if status == StatusCode::OK {
                    Ok(body)
                } else {
                    Err(AskError::Address { url: address.url(), what: format!("answers {}", status.as_u16()) }.into())
                }
            }
        }
    }
}
