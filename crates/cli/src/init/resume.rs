//! `sluice init --resume`: going on from a backup.
#![expect(
    clippy::disallowed_methods,
    reason = "waits out the second in which something else may have been seen"
)]

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use daemon::clock::{Clock, SystemClock};
use daemon::config::Config;
use daemon::resume::{self, Resumed};
use daemon::verify::Rest;
use serde_json::json;
use store::{Disk, PosixDisk};

use crate::failure::Failure;
use crate::moment;
use crate::terminal::{Paint, Terminal};

/// Verifies and publishes anew; a dry run only verifies.
pub fn run(
    config: &Arc<Config>,
    ahead: Option<u64>,
    dry_run: bool,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let disk: Arc<dyn Disk> = Arc::new(PosixDisk);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    if dry_run {
        resume::damage(config, &disk, Rest::AnyInstant, clock.now())?;
        terminal.either(&json!({ "root": config.root, "verified": true }), |_| {
            format!("{} is whole; `sluice init --resume` would publish it anew\n", config.root)
        });
        return Ok(0);
    }
    next_second(&*clock);
    let resumed = resume::resume(config, &disk, &clock, ahead)?;
    terminal.either(&resumed, |paint| words(&resumed, config, paint));
    Ok(0)
}

/// Waits until this second is over: what the lost site published in it bears its date, and clients take only what
/// is dated later.
fn next_second(clock: &dyn Clock) {
    let begun = clock.now();
    let mut now = begun;
    while now.as_second() == begun.as_second() {
        let passed = u64::try_from(now.subsec_nanosecond()).unwrap_or_default();
        std::thread::sleep(Duration::from_nanos(1_000_000_000_u64.saturating_sub(passed)));
        now = clock.now();
    }
}

fn words(resumed: &Resumed, config: &Config, paint: Paint) -> String {
    let Resumed { restored, dated, repositories, mended, published, forgotten } = resumed;
    let mut text = format!(
        "restored  generation {restored} of {} with {}, verified\n",
        moment::text(*dated),
        moment::count(*repositories, "repository")
    );
    for mended in mended {
        let _ = writeln!(text, "mended    {mended}");
    }
    let _ = writeln!(
        text,
        "{} generation {published}: every repository dated now, the number beyond all that clients can have seen",
        paint.green("published")
    );
    let _ = writeln!(
        text,
        "forgotten every request settled after {}, and its id: whoever asked must ask again",
        moment::text(*dated)
    );
    for (claim, number) in forgotten {
        let _ = writeln!(text, "  {claim} (was generation {number})");
    }
    if !forgotten.is_empty() {
        let _ = writeln!(text, "those of {0}/done lie in {0}/forgotten now", config.spool);
    }
    let _ = writeln!(text, "next: sluice daemon");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_is_said_even_if_nobody_knows_what_it_was() {
        let text = "format = 1\n[site]\nname = \"T\"\nroot = \"/srv/sluice\"\nspool = \"/var/spool/sluice\"\n\
                    base_url = \"http://x\"\n[[product]]\nname = \"p\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n";
        let config = Config::parse(text.as_bytes(), "f").unwrap();
        let resumed = Resumed {
            restored: 7,
            dated: "2026-11-21T23:04:35Z".parse().unwrap(),
            repositories: 6,
            mended: vec!["1 thing".into()],
            published: 2000,
            forgotten: [("update-57-x".to_owned(), 8)].into(),
        };
        let expected = "\
restored  generation 7 of 2026-11-21 23:04:35Z with 6 repositories, verified
mended    1 thing
published generation 2000: every repository dated now, the number beyond all that clients can have seen
forgotten every request settled after 2026-11-21 23:04:35Z, and its id: whoever asked must ask again
  update-57-x (was generation 8)
those of /var/spool/sluice/done lie in /var/spool/sluice/forgotten now
next: sluice daemon
";
        assert_eq!(words(&resumed, &config, Paint::PLAIN), expected);
    }
}
