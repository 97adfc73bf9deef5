//! What a program used: measured by a process of our own that has no other child.
#![expect(clippy::disallowed_methods, reason = "runs programs and looks at the clock")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// What a program used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Seconds of processors, its own and the kernel's for it.
    pub processor: f64,
    /// Seconds from its start to its end.
    pub wall: f64,
    /// The most memory it had at once, in bytes.
    pub peak: u64,
    /// What it gave to the disk, in bytes; nothing where the file system has none.
    pub written: u64,
}

impl Usage {
    /// Takes the median of each.
    pub fn median(of: &[Self]) -> Self {
        let number = |of_one: fn(&Self) -> f64| {
            let mut all: Vec<f64> = of.iter().map(of_one).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or_default()
        };
        Self {
            processor: number(|one| one.processor),
            wall: number(|one| one.wall),
            peak: number(|one| one.peak as f64) as u64,
            written: number(|one| one.written as f64) as u64,
        }
    }

    fn told(self) -> String {
        let Self { processor, wall, peak, written } = self;
        format!("{processor} {wall} {peak} {written}")
    }

    fn read(told: &str) -> Option<Self> {
        let mut words = told.split_whitespace();
        let mut float = || words.next()?.parse::<f64>().ok();
        let (processor, wall) = (float()?, float()?);
        Some(Self { processor, wall, peak: float()? as u64, written: float()? as u64 })
    }
}

/// Runs a program to its end, and tells what it used. What it says is shown only if it fails.
pub fn used_by(program: &[String]) -> anyhow::Result<Usage> {
    // The kernel keeps one peak for all children a process ever had: so each program gets a parent of its own.
    let itself = std::env::current_exe().context("failed to find this program")?;
    let measured = Command::new(itself).arg("measure").arg("--").args(program).output();
    let measured = measured.with_context(|| format!("failed to run `{}`", program.join(" ")))?;
    let said = String::from_utf8_lossy(&measured.stderr);
    ensure!(measured.status.success(), "`{}` failed: {said}", program.join(" "));
    let told = String::from_utf8_lossy(&measured.stdout);
    Usage::read(&told).with_context(|| format!("failed to read `{told}`"))
}

/// Runs a program as the only child of this process; its usage in words.
pub fn measure(program: &[String]) -> anyhow::Result<String> {
    let [name, arguments @ ..] = program else { bail!("no program is named") };
    let begun = Instant::now();
    let ended = Command::new(name).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status();
    let wall = begun.elapsed().as_secs_f64();
    let ended = ended.with_context(|| format!("failed to run `{name}`"))?;
    ensure!(ended.success(), "`{name}` ended with {ended}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("failed to ask what was used")?;
    let seconds = |time: nix::sys::time::TimeVal| {
        Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or(0)).as_secs_f64()
    };
    let size = |number: i64, unit: u64| u64::try_from(number).unwrap_or(0) * unit;
    let processor = seconds(usage.user_time()) + seconds(usage.system_time());
    Ok(Usage { processor, wall, peak: size(usage.max_rss(), 1024), written: size(usage.block_writes(), 512) }
        .told())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_works_uses_more_than_one_that_does_not() {
        let of = |script: &str| {
            let program = ["sh", "-c", script].map(str::to_owned);
            Usage::read(&measure(&program).unwrap()).unwrap()
        };
        // All children of the tests count together, so what comes first is what idles.
        let idle = of("true");
        let busy = of("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
        assert!(busy.processor > idle.processor && busy.wall > idle.wall, "{busy:?} {idle:?}");
        assert!(idle.peak > 100_000, "{idle:?}");
        assert!(measure(&["false".to_owned()]).is_err());
    }

    #[test]
    fn the_median_is_of_each_number_by_itself() {
        let one = |processor: f64, peak| Usage { processor, peak, ..Usage::default() };
        let median = Usage::median(&[one(3.0, 1), one(1.0, 2), one(2.0, 9)]);
        assert_eq!((median.processor, median.peak), (2.0, 2));
        assert_eq!(Usage::read(&median.told()), Some(median));
    }
}
