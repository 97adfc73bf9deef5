//! Small worlds of packages, made up from a seed: before a change, after it, and the context.

use closure::{File, FileKind, Package};
use fastrand::Rng;
use nevra::{Arch, Dependency, Evr, Nevra};

/// The meta-package each world is about.
pub(super) const GOAL: &str = "goal";

/// One world.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) before: Vec<Package>,
    pub(super) after: Vec<Package>,
    pub(super) context: Vec<Package>,
}

/// How often what is special happens, in percent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mix {
    pub(super) rich: u8,
    pub(super) files: u8,
    pub(super) obsoletes: u8,
    pub(super) conflicts: u8,
    pub(super) second: u8,
}

const MIXES: [Mix; 5] = [
    Mix { rich: 0, files: 0, obsoletes: 0, conflicts: 10, second: 0 },
    Mix { rich: 40, files: 10, obsoletes: 0, conflicts: 5, second: 0 },
    Mix { rich: 5, files: 40, obsoletes: 5, conflicts: 10, second: 0 },
    Mix { rich: 0, files: 5, obsoletes: 30, conflicts: 5, second: 0 },
    Mix { rich: 10, files: 10, obsoletes: 10, conflicts: 10, second: 25 },
];

pub(super) fn world(seed: u64) -> Made {
    let mut rng = Rng::with_seed(seed);
    let mix = MIXES[rng.usize(..MIXES.len())];
    let names = rng.u8(6..16);
    let mut maker = Maker { rng, mix, names };
    let context = maker.packages(0);
    let mut before = maker.packages(0);
    let mut after: Vec<Package> = before.iter().filter(|_| maker.rng.u8(..100) < 85).cloned().collect();
    // One name never stands for two packages.
    let fresh = |package: &Package| before.iter().all(|old| old.nevra != package.nevra);
    after.extend(maker.packages(1).into_iter().filter(fresh));
    before.push(maker.goal("1-1", before.iter().chain(&context).cloned().collect()));
    after.push(maker.goal("2-1", after.iter().chain(&context).cloned().collect()));
    for packages in [&mut before, &mut after] {
        let mut seen = std::collections::BTreeSet::new();
        packages.retain(|package| seen.insert(package.nevra.clone()));
    }
    let there: Vec<Nevra> = before.iter().chain(&after).map(|package| package.nevra.clone()).collect();
    let context = context.into_iter().filter(|package| !there.contains(&package.nevra)).collect();
    Made { before, after, context }
}

struct Maker {
    rng: Rng,
    mix: Mix,
    names: u8,
}

impl Maker {
    fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(..100) < percent
    }

    fn name(&mut self) -> String {
        format!("p{}", self.rng.u8(..self.names))
    }

    fn evr(&mut self, newer: u8) -> Evr {
        let epoch = if self.chance(5) { "1:" } else { "" };
        format!("{epoch}{}-{}", self.rng.u8(1..4) + newer, self.rng.u8(1..3)).parse().unwrap()
    }

    fn packages(&mut self, newer: u8) -> Vec<Package> {
        let count = self.rng.usize(3..12);
        let mut all: Vec<Package> = Vec::new();
        for _ in 0..count {
            let package = self.package(newer);
            if self.chance(self.mix.second * 2) && package.nevra.arch.as_str() == "x86_64" {
                // A twin for 32-bit programs.
                let nevra = Nevra { arch: Arch::new("i686"), ..package.nevra.clone() };
                all.push(Package { nevra, provides: vec![self.capability()], ..package.clone() });
            }
            all.push(package);
        }
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|package| seen.insert(package.nevra.clone()));
        all
    }

    fn package(&mut self, newer: u8) -> Package {
        let arch = if self.chance(self.mix.second) {
            "i686"
        } else if self.chance(40) {
            "noarch"
        } else {
            "x86_64"
        };
        let (name, evr) = (self.name(), self.evr(newer));
        let mut package = Package::new(Nevra::new(name, evr, Arch::new(arch)).unwrap());
        if self.chance(30) {
            package.provides.push(self.capability());
        }
        for _ in 0..self.rng.u8(..3) {
            let required = self.dependency(true);
            package.requires.push(required);
        }
        if self.chance(self.mix.conflicts) {
            package.conflicts.push(self.dependency(false));
        }
        if self.chance(self.mix.obsoletes) {
            package.obsoletes.push(self.ranged());
        }
        for _ in 0..self.rng.u8(..3) {
            let kind = [FileKind::File, FileKind::Directory, FileKind::Ghost][self.rng.usize(..3)];
            package.files.push(File { path: self.path(), kind, contents: None });
        }
        package.files.push(File {
            path: format!("/usr/share/{}", package.nevra),
            kind: FileKind::File,
            contents: None,
        });
        package
    }

    /// A meta-package that needs some of what there is, often in exactly one version.
    fn goal(&mut self, evr: &str, there: Vec<Package>) -> Package {
        let mut goal = Package::new(format!("{GOAL}-{evr}.noarch").parse().unwrap());
        for _ in 0..self.rng.usize(1..4) {
            let chosen = &there[self.rng.usize(..there.len())];
            let pin = chosen.nevra.provided();
            let any = Dependency { bound: None, ..pin.clone() };
            goal.requires.push(if self.chance(60) { pin } else { any });
        }
        if self.chance(40) {
            goal.requires.push(self.dependency(true));
        }
        // So that it counts as a meta-package whatever it needs.
        goal.provides.push("the-goal = 1".parse().unwrap());
        goal.requires.push("the-goal = 1".parse().unwrap());
        goal
    }

    fn capability(&mut self) -> Dependency {
        let name = ["cap-a", "cap-b", "cap-c", "libx.so.1()(64bit)", "libx.so.1"][self.rng.usize(..5)];
        let name = if self.chance(20) { self.name() } else { name.to_owned() };
        match self.rng.u8(..3) {
            0 => name.parse().unwrap(),
            1 => format!("{name} = {}", self.rng.u8(1..5)).parse().unwrap(),
            _ => format!("{name} = {}-{}", self.rng.u8(1..5), self.rng.u8(1..3)).parse().unwrap(),
        }
    }

    fn path(&mut self) -> String {
        ["/usr/bin/x", "/etc/y", "/usr/share/z", "/opt/w", "/bin/v"][self.rng.usize(..5)].to_owned()
    }

    /// A name, perhaps with a range.
    fn ranged(&mut self) -> Dependency {
        let name = if self.chance(70) { self.name() } else { self.capability().name };
        let sign = ["<", "<=", "=", ">=", ">"][self.rng.usize(..5)];
        let text = match self.rng.u8(..4) {
            0 | 1 => name,
            2 => format!("{name} {sign} {}", self.rng.u8(1..5)),
            _ => format!("{name} {sign} {}-{}", self.rng.u8(1..5), self.rng.u8(1..3)),
        };
        text.parse().unwrap()
    }

    fn dependency(&mut self, wanted: bool) -> Dependency {
        if self.chance(self.mix.rich) {
            return self.rich(wanted).parse().unwrap();
        }
        if self.chance(self.mix.files) {
            return self.path().parse().unwrap();
        }
        self.ranged()
    }

    /// A rich dependency as rpm lets it stand among requirements, or among conflicts.
    fn rich(&mut self, wanted: bool) -> String {
        let (a, b, c) = (self.ranged(), self.ranged(), self.ranged());
        let inner = match self.rng.u8(..4) {
            0 => format!("({b} and {c})"),
            1 => format!("({b} or {c})"),
            2 => format!("({b} with {c})"),
            _ => b.to_string(),
        };
        match (self.rng.u8(..7), wanted) {
            (0, _) => format!("({a} or {inner})"),
            (1, _) => format!("({a} and {inner})"),
            (2, true) => format!("({a} if {inner})"),
            (3, true) => format!("({a} if {b} else {c})"),
            (2, false) => format!("({a} unless {inner})"),
            (3, false) => format!("({a} unless {b} else {c})"),
            (4, _) => format!("({a} with {b})"),
            (5, _) => format!("({a} without {b})"),
            _ => format!("({a} or {b} or {c})"),
        }
    }
}
