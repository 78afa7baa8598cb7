//! The file that says where a ledger's keys are in a token.

use std::path::Path;

use super::{Place, Token};
use crate::files::replace;
use crate::keyfile::{TOKEN_FORMAT, TokenFile, TokenKey};
use crate::software::{KeyFileError, check_same_origin, create_file, read_file};

impl TokenFile {
    /// A ledger's first key.
    #[must_use]
    pub fn new(origin: &str, place: &Place, key: TokenKey) -> Self {
        let Place { module, token, pin_file } = place.clone();
        Self { format: TOKEN_FORMAT.into(), origin: origin.into(), module, token, pin_file, keys: vec![key] }
    }

    /// Reads the file of `origin`.
    ///
    /// # Errors
    /// It is missing, damaged or another ledger's.
    pub fn open(path: &Path, origin: &str) -> Result<Self, KeyFileError> {
        let file = Self::parse(&read_file(path)?).map_err(|fault| KeyFileError::Damaged { path: path.to_owned(), fault })?;
        check_same_origin(path, origin, &file.origin)?;
        Ok(file)
    }

    /// Writes it where none is.
    ///
    /// # Errors
    /// There is one, or it cannot be written.
    pub fn create(&self, path: &Path) -> Result<(), KeyFileError> {
        create_file(path, &self.text(path)?)
    }

    /// Puts it in the place of the one before, at once.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn replace(&self, path: &Path) -> Result<(), KeyFileError> {
        replace(path, self.text(path)?.as_bytes()).map_err(|source| KeyFileError::Io { path: path.to_owned(), source })
    }

    /// The token, its PIN from another file where one is given.
    #[must_use]
    pub fn token(&self, pin_file: Option<&Path>) -> Token {
        let pin_file = pin_file.unwrap_or(&self.pin_file).to_owned();
        Token::at(Place { module: self.module.clone(), token: self.token.clone(), pin_file })
    }

    fn text(&self, path: &Path) -> Result<String, KeyFileError> {
        self.render().map_err(|fault| KeyFileError::Damaged { path: path.to_owned(), fault })
    }
}
