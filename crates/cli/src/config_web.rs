//! `sluice config web`: who may read restricted stages, as nginx, Apache and rsync want to be told.
#![expect(clippy::disallowed_methods, reason = "writes the file that the server includes")]

use std::fs;

use camino::Utf8Path;
use clap::ValueEnum;
use daemon::restricted::Restrictions;

use crate::failure::Failure;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// A server that exports the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WebServer {
    /// A file for a `server` of nginx
    Nginx,
    /// A file for a virtual host of Apache
    Apache,
    /// The last lines of the module of rsyncd.conf
    Rsyncd,
}

/// Writes the rules.
pub fn run(
    settings: &Settings,
    server: WebServer,
    output: Option<&Utf8Path>,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let config = settings.config()?;
    let restrictions = Restrictions::of(&config);
    let text = match server {
        WebServer::Nginx => restrictions.nginx(&config.root),
        WebServer::Apache => restrictions.apache(),
        WebServer::Rsyncd => restrictions.rsyncd(&config.root),
    };
    match output {
        None => terminal.data(&text),
        Some(file) => {
            // A server that starts meanwhile must not find half of the rules.
            let draft =
                Utf8Path::new(file).with_file_name(format!(".{}.new", file.file_name().unwrap_or("rules")));
            fs::write(&draft, text)
                .and_then(|()| fs::rename(&draft, file))
                .map_err(|error| Failure::internal(format!("failed to write `{file}`: {error}")))?;
        }
    }
    Ok(0)
}
