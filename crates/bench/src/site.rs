//! A site whose daemon runs, and what the daemon used so far.
#![expect(clippy::disallowed_methods, reason = "runs a site and looks at its daemon")]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use crate::repodata::emptied;
use crate::usage::{Usage, used_by};

/// How long the daemon does nothing before it counts as idle.
const IDLE: Duration = Duration::from_millis(700);

/// Nothing here takes longer.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// A site; its daemon ends with this.
pub struct Site {
    /// Where everything of it lies.
    pub work: Utf8PathBuf,
    sluice: Utf8PathBuf,
    daemon: Child,
}

impl Site {
    /// Makes a site; in its configuration `WORK` is where it lies, `ME` who runs this.
    pub fn new(config: &str, work: &Utf8Path, sluice: &Utf8Path) -> anyhow::Result<Self> {
        let work = emptied(&work.join("site"))?;
        let work = work.canonicalize_utf8().with_context(|| format!("failed to find `{work}`"))?;
        let me = nix::unistd::geteuid().to_string();
        let config = config.replace("WORK", work.as_str()).replace("ME", &me);
        fs::write(work.join("sluice.toml"), config).context("failed to write the configuration")?;
        // Nothing is started yet: a child that ended.
        let daemon = Command::new("true").spawn().context("failed to run `true`")?;
        let site = Self { work, sluice: sluice.to_owned(), daemon };
        used_by(&site.command(&["init"]))?;
        Ok(site)
    }

    /// The words of a command on this site.
    pub fn command(&self, words: &[&str]) -> Vec<String> {
        let begin = [self.sluice.as_str(), "-c"].into_iter().map(str::to_owned);
        let config = [self.work.join("sluice.toml").into_string()];
        begin.chain(config).chain(words.iter().map(|word| (*word).to_owned())).collect()
    }

    /// Starts the daemon.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let words = self.command(&["daemon"]);
        let log = fs::File::create(self.work.join("daemon.log")).context("failed to make the log")?;
        let command = Command::new(&words[0]).args(&words[1..]).stdout(Stdio::null()).stderr(log).spawn();
        self.daemon = command.context("failed to start the daemon")?;
        Ok(())
    }

    /// Stops it.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let process = i32::try_from(self.daemon.id()).map(nix::unistd::Pid::from_raw)?;
        // It may have ended by itself.
        let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM);
        self.daemon.wait().map(drop).context("failed to wait for the daemon")
    }

    /// Forgets the most memory that the daemon had so far.
    pub fn forget_peak(&self) -> anyhow::Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.daemon.id()), "5").context("failed to forget the peak")
    }

    /// Waits until the daemon does nothing any more, not even what it does in idle time.
    pub fn idle(&self) -> anyhow::Result<Usage> {
        let begun = Instant::now();
        let mut used = self.used()?;
        while begun.elapsed() < PATIENCE {
            sleep(IDLE);
            let now = self.used()?;
            if now.processor - used.processor < 0.02 {
                return Ok(now);
            }
            used = now;
        }
        bail!("the daemon does not come to rest")
    }

    /// What the daemon used since it began.
    pub fn used(&self) -> anyhow::Result<Usage> {
        let of = |name: &str| {
            let path = format!("/proc/{}/{name}", self.daemon.id());
            fs::read_to_string(&path).with_context(|| format!("failed to read `{path}`"))
        };
        let number = |text: &str, key: &str| -> u64 {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
        };
        let stat = of("stat")?;
        let fields: Vec<u64> = stat
            .rsplit_once(')')
            .map(|(_, fields)| {
                fields.split_whitespace().map(|field| field.parse().unwrap_or_default()).collect()
            })
            .unwrap_or_default();
        ensure!(fields.len() > 15, "`/proc` tells nothing of the daemon");
        let ticks = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)?.unwrap_or(100);
        // Its own, and that of the children it waited for.
        let processor = fields[11..15].iter().sum::<u64>() as f64 / ticks as f64;
        let (status, io) = (of("status")?, of("io")?);
        Ok(Usage {
            processor,
            wall: 0.0,
            peak: number(&status, "VmHWM:") * 1024,
            written: number(&io, "write_bytes:"),
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}
