//! Copying from an rsync daemon: each call is one list of files of one generation.
#![expect(clippy::disallowed_methods, reason = "runs rsync and takes what it brought")]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use daemon::inventory;

use super::source::{Pace, Trouble};
use super::wanted::Wanted;
use crate::failure::Failure;

/// The module of an rsync daemon, whose path is the public half of a site.
#[derive(Debug)]
pub struct Rsync {
    top: String,
    pace: Pace,
}

impl Rsync {
    /// Begins with an address that has no slash at its end.
    pub fn new(top: &str, pace: Pace) -> Self {
        Self { top: top.to_owned(), pace }
    }

    /// Fetches the inventory of whatever is current.
    pub fn inventory(&self, work: &Utf8Path) -> Result<Vec<u8>, Failure> {
        let to = work.join(inventory::NAME);
        let mut rsync = self.rsync(inventory::SIZE_MAX);
        // Size and second of another generation's may be the same.
        rsync.arg("--ignore-times").arg(format!("{}/current/{}", self.top, inventory::NAME)).arg(&to);
        let said = run(&mut rsync, b"")?;
        if said.code != 0 {
            return Err(self.failed(&said));
        }
        let size = fs::metadata(&to).map_err(|error| read_failed(&to, &error))?.len();
        if size > inventory::SIZE_MAX {
            return Err(Failure {
                exit: 6,
                ..Failure::internal(format!("the inventory of `{}` has {size} bytes", self.top))
            });
        }
        fs::read(&to).map_err(|error| read_failed(&to, &error))
    }

    /// Fetches files of one generation; see [`super::source::Source::fetch`].
    pub fn fetch(&self, number: u64, wanted: &[&Wanted], parts: &Utf8Path) -> Result<u64, Trouble> {
        let missing = |wanted: &&&Wanted| !parts.join(&wanted.digest.hex).exists();
        let wanted: Vec<&Wanted> = wanted.iter().filter(missing).copied().collect();
        let Some(size_max) = wanted.iter().map(|wanted| wanted.size).max() else { return Ok(0) };
        let into = parts.join(format!("@{number}"));
        fs::create_dir_all(&into)
            .map_err(|error| Failure::usage(format!("failed to make `{into}`: {error}")))?;
        let list: String = wanted.iter().map(|wanted| format!("{}\n", wanted.path)).collect();
        let mut rsync = self.rsync(size_max);
        // What is half there is gone on with; what is there is compared, for its name may have meant another file.
        rsync.args(["--partial", "--checksum", "--files-from=-"]);
        rsync.arg(format!("{}/@{number}/", self.top)).arg(format!("{into}/"));
        let said = run(&mut rsync, list.as_bytes())?;
        if !matches!(said.code, 0 | 23 | 24) {
            // The directory of a generation that is gone cannot be entered: that is code 23 or 5, with words.
            let is_gone = said.words.contains("chdir failed") || said.words.contains("change_dir");
            return Err(if is_gone { Trouble::Vanished(said.words) } else { self.failed(&said).into() });
        }
        let mut bytes = 0;
        for wanted in &wanted {
            let came: Utf8PathBuf = into.join(&wanted.path);
            let Ok(found) = fs::symlink_metadata(&came) else {
                let words = format!("`{}` of generation {number} did not come: {}", wanted.path, said.words);
                return Err(Trouble::Vanished(words));
            };
            if !found.is_file() {
                return Err(Failure::internal(format!("`{came}` came as no file")).into());
            }
            bytes += found.len();
            let part = parts.join(&wanted.digest.hex);
            // Two paths may be one file: the first brought it.
            fs::rename(&came, &part)
                .map_err(|error| Failure::internal(format!("failed to rename `{came}`: {error}")))?;
        }
        Ok(bytes)
    }

    fn rsync(&self, size_max: u64) -> Command {
        let mut rsync = Command::new("rsync");
        let seconds = self.pace.timeout.as_secs().max(1);
        // No link, device or mode of the source is taken, only bytes.
        rsync.args(["--copy-links", "--no-motd", "--chmod=F600,D700"]);
        rsync.arg(format!("--max-size={size_max}")).arg(format!("--timeout={seconds}"));
        rsync.arg(format!("--contimeout={seconds}"));
        if let Some(rate) = self.pace.rate {
            rsync.arg(format!("--bwlimit={}", rate.get().div_ceil(1024)));
        }
        rsync.env("LC_ALL", "C");
        rsync
    }

    fn failed(&self, said: &Said) -> Failure {
        let failure = Failure::internal(format!("failed to copy from `{}`: {}", self.top, said.words));
        let hint = "the same command goes on from where it broke off; nothing was published here";
        Failure { exit: 75, ..failure.hint(hint) }
    }
}

/// How rsync ended.
struct Said {
    code: i32,
    words: String,
}

fn run(rsync: &mut Command, list: &[u8]) -> Result<Said, Failure> {
    let failed = |error: std::io::Error| {
        Failure::usage(format!("failed to run `rsync`: {error}")).hint("install rsync, or mirror over https")
    };
    rsync.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = rsync.spawn().map_err(failed)?;
    let mut stdin = child.stdin.take();
    // It may end early and read nothing: then its exit code says why.
    let list = list.to_vec();
    let writer = std::thread::spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(&list)));
    let output = child.wait_with_output().map_err(failed)?;
    let _ = writer.join();
    let words = String::from_utf8_lossy(&output.stderr);
    let words: Vec<&str> = words.lines().take(5).collect();
    Ok(Said {
        code: output.status.code().unwrap_or(-1),
        words: words.join("; ").chars().take(1000).collect(),
    })
}

fn read_failed(path: &Utf8Path, error: &std::io::Error) -> Failure {
    Failure::internal(format!("failed to read `{path}`: {error}"))
}
