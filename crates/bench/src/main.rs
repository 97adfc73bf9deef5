//! `sluice-bench`: what Sluice costs beside createrepo_c, on repositories that are made for it.
//!
//! ```text
//! generate --RPMs as distributions have them--> run --every program in alternation--> a table
//! ```
//!
//! It is for developers and installed nowhere. Nothing here is a test: whoever changes how repodata is made looks at the
//! table before and after.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

mod generate;
mod invention;
mod procedure;
mod promotion;
mod repodata;
mod site;
mod table;
mod usage;
mod words;

use camino::Utf8PathBuf;
use clap::{Parser, Subcommand};
use repodata::Maker;

#[derive(Debug, Parser)]
#[command(name = "sluice-bench", about = "Measures Sluice beside createrepo_c")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Makes a directory of RPMs as distributions have them; the same seed makes the same bytes
    Generate {
        /// The directory, which must not hold any
        directory: Utf8PathBuf,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 1000)]
        packages: usize,
        /// What chance begins with
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
    /// Measures everything, and prints a table of medians in Markdown
    Run(Run),
    /// Measures single steps of a procedure where much is under way
    Procedure(Procedure),
    /// Runs one program and tells what it used; `run` calls this
    #[command(hide = true)]
    Measure {
        #[arg(last = true)]
        program: Vec<String>,
    },
}

#[derive(Debug, clap::Args)]
struct Run {
    /// How many packages the repositories have
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = [1000, 10_000, 50_000])]
    sizes: Vec<usize>,
    /// How many of them change
    #[arg(long, value_name = "K,...", value_delimiter = ',', default_values_t = [1, 10, 100])]
    changes: Vec<usize>,
    /// Measure the daemon alone, beside nothing
    #[arg(long)]
    daemon: bool,
    /// How often everything is measured
    #[arg(long, value_name = "R", default_value_t = 3)]
    rounds: usize,
    /// Where packages and repodata lie; packages that are there already are used again
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    work: Utf8PathBuf,
    /// The sluice that is measured
    #[arg(long, value_name = "PATH", default_value = "target/release/sluice")]
    sluice: Utf8PathBuf,
    /// The createrepo_c that all are compared with
    #[arg(long, value_name = "PATH", default_value = "createrepo_c")]
    createrepo_c: Utf8PathBuf,
    /// A createrepo_c of today, such as `pip install createrepo_c` brings
    #[arg(long, value_name = "PATH")]
    current: Option<Utf8PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Procedure {
    /// How many patches there are, of one package each
    #[arg(long, value_name = "N", default_value_t = 2000)]
    patches: usize,
    /// How many bundles they travel in
    #[arg(long, value_name = "N", default_value_t = 200)]
    bundles: usize,
    /// How many teams try each bundle: so many tasks has it
    #[arg(long, value_name = "N", default_value_t = 25)]
    teams: usize,
    /// How often each step is taken
    #[arg(long, value_name = "R", default_value_t = 5)]
    rounds: usize,
    /// Where the site lies
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    work: Utf8PathBuf,
    /// The sluice that is measured
    #[arg(long, value_name = "PATH", default_value = "target/release/sluice")]
    sluice: Utf8PathBuf,
}

impl Run {
    fn makers(&self) -> Vec<Maker> {
        let maker = |name: &str, words: &[&str]| Maker {
            name: name.to_owned(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        // One of today packs by zstd if it is not told otherwise.
        let current = self
            .current
            .iter()
            .map(|path| maker("createrepo_c of today", &[path.as_str(), "--general-compress-type", "gz"]));
        [maker("createrepo_c", &[self.createrepo_c.as_str()])]
            .into_iter()
            .chain(current)
            .chain([maker("sluice", &[self.sluice.as_str(), "createrepo"])])
            .collect()
    }

    fn run(&self) -> anyhow::Result<()> {
        let mut rows = Vec::new();
        let makers = if self.daemon { Vec::new() } else { self.makers() };
        // Sluice is the last.
        let others = makers.split_last().map(|(_, others)| others).unwrap_or_default();
        for packages in self.sizes.iter().copied() {
            if !self.daemon {
                rows.extend(repodata::rows(&makers, &self.work, packages, &self.changes, self.rounds)?);
            }
            let site = (self.work.as_path(), self.sluice.as_path());
            rows.extend(promotion::rows(others, site, packages, &self.changes, self.rounds)?);
        }
        print!("{}", table::table(&rows));
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Generate { directory, packages, seed } => generate::generate(&directory, packages, seed)?,
        Task::Run(run) => run.run()?,
        Task::Procedure(Procedure { patches, bundles, teams, rounds, work, sluice }) => {
            let size = procedure::Size { patches, bundles, teams };
            print!("{}", procedure::table(&work, &sluice, size, rounds)?);
        }
        Task::Measure { program } => println!("{}", usage::measure(&program)?),
    }
    Ok(())
}
