//! Where passwords are kept: the system's keyring, or a file only the user can read where there is none.
//!
//! Passwords never enter the settings file, a log or an error. Blocking: a keyring may ask the user to unlock it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The name under which the keyring lists our passwords.
const SERVICE: &str = "samovar";

/// A password on its way: it can be moved and compared, but not shown by accident.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Password(String);

impl Password {
    /// Wraps what was typed or read.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password itself: for a connection, the keyring, or the field it is typed into.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Password(…)")
    }
}

/// Where a password was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPlace {
    /// The system's keyring.
    Keyring,
    /// A file that only this user can read, because the system has no keyring.
    PrivateFile,
}

/// Why a password could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("the password cannot be kept: there is no system keyring, and {} cannot be written: {reason}", .path.display())]
pub struct SecretError {
    /// The private file.
    pub path: PathBuf,
    /// What the system said.
    pub reason: String,
}

/// The passwords of sources, by source id.
#[derive(Debug, Clone)]
pub struct Secrets {
    private_file: PathBuf,
    use_keyring: bool,
}

impl Secrets {
    /// Passwords in the keyring, with a private file beside the settings as the second choice.
    #[must_use]
    pub fn beside(settings_file: &Path) -> Self {
        Self { private_file: settings_file.with_file_name("credentials.toml"), use_keyring: true }
    }

    /// Never asks the keyring; for tests and for systems where it is not wanted.
    #[must_use]
    pub fn without_keyring(mut self) -> Self {
        self.use_keyring = false;
        self
    }

    fn keyring_entry(&self, source: &str) -> Option<keyring::Entry> {
        if !self.use_keyring {
            return None;
        }
        keyring::Entry::new(SERVICE, source).inspect_err(|error| tracing::debug!(%error, "no system keyring")).ok()
    }

    /// The password of a source, if one is kept.
    #[must_use]
    pub fn get(&self, source: &str) -> Option<String> {
        let from_keyring = self.keyring_entry(source).and_then(|entry| entry.get_password().ok());
        from_keyring.or_else(|| self.read_file().ok()?.remove(source))
    }

    /// Keeps a password, and says where.
    ///
    /// # Errors
    /// When there is no keyring and the private file cannot be written.
    pub fn set(&self, source: &str, password: &str) -> Result<SecretPlace, SecretError> {
        if let Some(entry) = self.keyring_entry(source)
            && entry.set_password(password).is_ok()
        {
            return Ok(SecretPlace::Keyring);
        }
        let mut all = self.read_file()?;
        all.insert(source.to_owned(), password.to_owned());
        self.write_file(&all)?;
        Ok(SecretPlace::PrivateFile)
    }

    /// The passwords of the private file. One that cannot be read is an error: writing over it would lose the others.
    fn read_file(&self) -> Result<BTreeMap<String, String>, SecretError> {
        let fail = |reason: String| SecretError { path: self.private_file.clone(), reason };
        match std::fs::read_to_string(&self.private_file) {
            Ok(text) => toml::from_str(&text).map_err(|_error| fail("it is damaged; mend or remove it".to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(fail(error.to_string())),
        }
    }

    fn write_file(&self, all: &BTreeMap<String, String>) -> Result<(), SecretError> {
        let fail = |reason: String| SecretError { path: self.private_file.clone(), reason };
        let folder = self.private_file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| fail(error.to_string()))?;
        let text = toml::to_string(all).map_err(|error| fail(error.to_string()))?;
        // Temporary files are made readable by their owner only, and renaming keeps that.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| fail(error.to_string()))?;
        file.write_all(text.as_bytes()).map_err(|error| fail(error.to_string()))?;
        file.as_file().sync_all().map_err(|error| fail(error.to_string()))?;
        file.persist(&self.private_file).map_err(|error| fail(error.error.to_string()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_show_when_what_holds_it_is_printed() {
        assert_eq!(format!("{:?}", Some(Password::new("s3cret"))), "Some(Password(…))");
        assert_eq!(Password::new("s3cret").reveal(), "s3cret");
    }

    #[test]
    fn without_a_keyring_passwords_go_to_a_file_only_the_user_can_read() {
        let folder = tempfile::tempdir().expect("folder");
        let secrets = Secrets::beside(&folder.path().join("settings.toml")).without_keyring();
        assert_eq!(secrets.get("mysql-a"), None);
        assert_eq!(secrets.set("mysql-a", "s3cret=\"x\"").expect("set"), SecretPlace::PrivateFile);
        secrets.set("mysql-b", "other").expect("set");
        assert_eq!(secrets.get("mysql-a").as_deref(), Some("s3cret=\"x\""));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder.path().join("credentials.toml")).expect("file").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{mode:o}");
        }
    }
}
