//! Which configuration is meant, and the site it leads to.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use daemon::config::{Config, accounts};
use plan::Reference;
use store::{Disk, PosixDisk, Store};

use crate::failure::Failure;

/// Where the configuration lies unless somebody says otherwise.
const DEFAULT: &str = "/etc/sluice/sluice.toml";

/// Knows the configuration file; reads it when it is needed.
#[derive(Debug, Clone)]
pub struct Settings {
    file: Utf8PathBuf,
    /// Whether the option was given.
    pub on_the_command_line: bool,
}

impl Settings {
    /// Chooses: the option, else the environment, else the usual place.
    pub fn new(option: Option<Utf8PathBuf>, environment: Option<OsString>) -> Settings {
        let environment = environment
            .filter(|value| !value.is_empty())
            .map(|value| Utf8PathBuf::from(value.to_string_lossy().into_owned()));
        let on_the_command_line = option.is_some();
        Settings { on_the_command_line, file: option.or(environment).unwrap_or_else(|| DEFAULT.into()) }
    }

    /// The file.
    pub fn file(&self) -> &Utf8Path {
        &self.file
    }

    /// Reads the configuration; whether its users exist is not asked.
    pub fn config(&self) -> Result<Config, Failure> {
        let bytes = accounts::read(&self.file)?;
        Ok(Config::parse(&bytes, self.file.as_str()).map_err(daemon::error::Error::from)?)
    }

    /// Reads the configuration and opens the store for reading; takes no lock.
    pub fn store(&self) -> Result<(Config, Store), Failure> {
        let config = self.config()?;
        let disk = PosixDisk;
        if disk.state(&config.root.join("public"))?.is_none() {
            let failure = Failure::not_found(format!("there is no site at `{}`", config.root));
            return Err(failure.hint("`sluice init` makes it"));
        }
        may_look(&disk, &config)?;
        let store = Store::new(Arc::new(disk), config.root.clone());
        Ok((config, store))
    }
}

/// Who may not look must not be told that the site is broken.
pub fn may_look(disk: &dyn Disk, config: &Config) -> Result<(), Failure> {
    match disk.list(&config.root.join("generations")) {
        Err(store::Error::Disk { operation, path, cause }) if cause.kind() == ErrorKind::PermissionDenied => {
            let failure = Failure::usage(format!("failed to {operation} `{path}`: {cause}"));
            Err(failure
                .hint("root may look, the daemon's user, and members of the group that `ls -ld` shows there"))
        }
        _ => Ok(()),
    }
}

/// Finds the number of a generation that is named by number, by name, or as `current`.
pub fn number_of(store: &Store, reference: &Reference) -> Result<u64, Failure> {
    let current = store.current()?.ok_or_else(nothing_published)?;
    match reference {
        Reference::Number(number) => Ok(*number),
        Reference::Name(name) if name == "current" => Ok(current.number),
        Reference::Name(name) => match current.manifest.names.get(name) {
            Some(named) => Ok(named.generation),
            None => Err(Failure::not_found(format!("no generation bears the name `{name}`"))
                .hint("`sluice status` lists the names")),
        },
    }
}

/// The failure of a site without a generation.
pub fn nothing_published() -> Failure {
    Failure::not_found("nothing is published here yet").hint("`sluice init` makes the first generation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_goes_before_the_environment_before_the_usual_place() {
        let file = |option: Option<&str>, environment: Option<&str>| {
            Settings::new(option.map(Utf8PathBuf::from), environment.map(OsString::from)).file
        };
        assert_eq!(file(Some("a"), Some("b")), "a");
        assert_eq!(file(None, Some("b")), "b");
        assert_eq!(file(None, Some("")), DEFAULT);
        assert_eq!(file(None, None), DEFAULT);
    }
}
