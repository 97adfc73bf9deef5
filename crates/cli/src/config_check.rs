//! `sluice config check`: like `nginx -t`, for the configuration.

use camino::Utf8PathBuf;
use daemon::clock::{Clock as _, SystemClock};
use daemon::config::{Config, accounts, certificates, comps, verdict};
use daemon::error::Error;
use daemon::ground::{self, Asks};
use serde_json::json;

use crate::failure::Failure;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// Checks text, accounts and the files it names, and says everything that is wrong, not only the first.
pub fn run(settings: &Settings, file: Option<Utf8PathBuf>, terminal: &Terminal) -> Result<u8, Failure> {
    let file = file.as_deref().unwrap_or(settings.file());
    let bytes = accounts::read(file)?;
    let checked = match Config::parse(&bytes, file.as_str()) {
        Ok(mut config) => match read_files(&mut config) {
            Ok(()) => Ok(config),
            Err(Error::Config(errors)) => Err(errors),
            Err(error) => return Err(error.into()),
        },
        Err(errors) => Err(errors),
    };
    // What is only in the text is judged first; then where the site is to stand.
    let ground = match &checked {
        Ok(config) => match ground::demand(config, Asks::Reader) {
            Ok(suspicious) => Ok(suspicious),
            Err(Error::Ground { unfit }) => Err(unfit),
            Err(error) => return Err(error.into()),
        },
        Err(_) => Ok(Vec::new()),
    };
    let code = if checked.is_ok() && ground.is_ok() { 0 } else { 2 };
    if terminal.json {
        let said = match &checked {
            Ok(config) => json!({
                "file": file, "ok": ground.is_ok(),
                "ground": ground.as_ref().unwrap_or_else(|unfit| unfit),
                "repositories": config.layout.repositories(),
                "warnings": config.warnings.iter().map(fault).collect::<Vec<_>>(),
            }),
            Err(errors) => json!({
                "file": file, "ok": false,
                "errors": errors.faults.iter().map(fault).collect::<Vec<_>>(),
            }),
        };
        terminal.json(&said);
    } else {
        if let (Ok(config), Err(unfit)) = (&checked, &ground) {
            for warning in &config.warnings {
                terminal.talk(&format!("warning: {file}:{}: {}", warning.line, warning.reason));
            }
            unfit.iter().for_each(|unfit| terminal.talk(&unfit.to_string()));
            terminal.talk(&format!("sluice: configuration file {file} test failed ({})", unfit.len()));
        } else {
            ground.iter().flatten().for_each(|unfit| terminal.talk(&format!("warning: {unfit}")));
            terminal.talk(verdict(file.as_str(), &checked).trim_end());
        }
    }
    Ok(code)
}

/// Reads what the configuration names, and adds what the time says about it to its warnings.
fn read_files(config: &mut Config) -> Result<(), Error> {
    accounts::check(config)?;
    comps::read(config)?;
    certificates::read(config)?;
    let warnings = certificates::warnings(config, SystemClock.now());
    config.warnings.extend(warnings);
    config.warnings.sort_by_key(|warning| (warning.line, warning.column));
    Ok(())
}

fn fault(fault: &daemon::config::Fault) -> serde_json::Value {
    json!({ "line": fault.line, "column": fault.column, "code": fault.code, "reason": fault.reason, "hint": fault.hint })
}
