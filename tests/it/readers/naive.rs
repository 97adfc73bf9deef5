//! What people do without Sluice: `cp` and `createrepo_c --update --retain-old-md=20` below a web root.

use std::fs;
use std::sync::Arc;

use camino::Utf8PathBuf;
use testkit::{Sandbox, createrepo_c};

use super::flips::Flips;
use super::promotions;

/// Two plain directories with repodata in them.
pub struct Naive {
    folder: Utf8PathBuf,
    flips: Arc<Flips>,
    steps: usize,
}

impl Naive {
    /// Lays them out as the real site is at the beginning.
    pub fn new(sandbox: &Sandbox) -> Self {
        let naive = Self { folder: sandbox.folder("naive"), flips: Arc::default(), steps: 0 };
        for (stage, names) in [("delta", promotions::wanderers()), ("production", promotions::residents())] {
            let folder = sandbox.folder(&format!("naive/{stage}"));
            for name in names {
                let recipe = promotions::recipe(&name);
                fs::write(folder.join(recipe.file_name()), recipe.build()).unwrap();
            }
            naive.createrepo(stage);
        }
        naive
    }

    pub fn flips(&self) -> Arc<Flips> {
        Arc::clone(&self.flips)
    }

    fn createrepo(&self, stage: &str) {
        createrepo_c(&self.folder.join(stage), &["--update", "--retain-old-md=20"]).ok();
    }

    /// Moves the next group of packages to the other stage.
    pub fn step(&mut self) {
        let names = promotions::wanderers();
        let groups: Vec<&[String]> = names.chunks(4).collect();
        let group = groups[self.steps % groups.len()];
        let is_back = (self.steps / groups.len()) % 2 == 1;
        let (from, to) = if is_back { ("production", "delta") } else { ("delta", "production") };
        for name in group {
            let file = promotions::recipe(name).file_name();
            fs::copy(self.folder.join(from).join(&file), self.folder.join(to).join(&file)).unwrap();
        }
        self.createrepo(to);
        for name in group {
            fs::remove_file(self.folder.join(from).join(promotions::recipe(name).file_name())).unwrap();
        }
        self.createrepo(from);
        self.steps += 1;
        self.flips.reached(self.steps as u64);
    }

    /// Moves packages as often as the other site flips.
    pub fn follow(mut self, other: &Flips) -> usize {
        let mut seen = other.count();
        while other.wait_for(seen + 1) {
            seen = other.count();
            self.step();
        }
        self.flips.end();
        self.steps
    }
}
