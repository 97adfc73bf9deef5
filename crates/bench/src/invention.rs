//! One package as a distribution might have it: from a seed and a number, and nothing else.

use std::collections::BTreeSet;

use fastrand::Rng;
use repo::Recipe;

use crate::words::{DEEDS, PEOPLE, PHRASES, SUBJECTS, any, hexadecimal, sentence};

/// How many packages come from one source.
const SIBLINGS: usize = 4;

/// 2024-01-01, in seconds since 1970; builds lie in the year before.
const NEW_YEAR: u32 = 1_704_067_200;
const DAY: u32 = 86_400;

/// Invents the package of this number. `edition` 0 is what a repository begins with; each further one is an update: the same
/// package with a later release and one change more.
pub fn invented(seed: u64, number: usize, edition: u32) -> Recipe {
    let mut of_source = chance_of(seed, number / SIBLINGS, 0);
    let mut chance = chance_of(seed, number, 1);
    let source = source_name(number / SIBLINGS);
    let version = format!("{}.{}.{}", of_source.u32(0..12), of_source.u32(0..30), of_source.u32(0..10));
    let release = format!("{}.el9", of_source.u32(1..40) + edition);
    let kind = Kind::of(number, &mut of_source);
    let name = format!("{source}{}", kind.suffix());
    let built = NEW_YEAR - of_source.u32(..365 * DAY) + edition * DAY;

    let summary_words = chance.usize(4..10);
    let mut recipe = Recipe::new(name, &version, &release)
        .arch(kind.arch(&mut chance))
        .summary(&sentence(&mut chance, summary_words))
        .description(&description(&mut chance))
        .build_time(built)
        .build_host(&format!("build{:02}.example.org", of_source.u8(1..40)))
        .source_rpm(&format!("{source}-{version}-{release}.src.rpm"));
    recipe.epoch = (of_source.u8(..) < 16).then_some(1);
    recipe.url = format!("https://www.example.org/projects/{source}");
    recipe.vendor = "Example Project".into();
    recipe.packager = "Example Project <packages@example.org>".into();
    recipe.license = ["MIT", "GPLv2+", "LGPLv2+ and BSD", "ASL 2.0"][of_source.usize(..4)].into();
    recipe.group = ["System Environment/Libraries", "Development/Libraries", "Applications/System"]
        [of_source.usize(..3)]
    .into();

    recipe = related(recipe, &mut chance, kind, &source, number);
    for path in paths(&mut chance, kind, &source, &version) {
        recipe = match &*path {
            path if path.ends_with('/') => recipe.directory(path),
            path if path.starts_with("/etc/") => recipe.config_file(path, ""),
            path if path.contains("/doc/") => recipe.documentation(path, ""),
            path => recipe.file(path, ""),
        };
    }
    let evr = format!("{version}-{release}");
    changed(recipe, &mut of_source, edition, built, &evr)
}

/// A generator for one thing, which does not depend on what was made before it.
fn chance_of(seed: u64, number: usize, what: u64) -> Rng {
    let number = number as u64;
    Rng::with_seed(
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd1b5_4a32_d192_ed03) ^ what,
    )
}

/// Names a source as no other is named.
fn source_name(number: usize) -> String {
    let subjects: Vec<&str> = SUBJECTS.split_whitespace().collect();
    let (count, phrases) = (subjects.len(), PHRASES.split_whitespace());
    // A step that has no divisor in common with the count scatters neighbours over the alphabet.
    let first = subjects[number * 101 % count];
    match number / count {
        0 => first.to_owned(),
        round => {
            let seconds: Vec<&str> = phrases.filter(|word| word.len() > 4).collect();
            let second = seconds[(round - 1) % seconds.len()];
            let more = (round - 1) / seconds.len();
            if more == 0 { format!("{first}-{second}") } else { format!("{first}-{second}{}", more + 1) }
        }
    }
}

/// What is in a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Programs,
    Library,
    Development,
    Python,
    Documentation,
    Translations,
    Debugging,
}

impl Kind {
    fn of(number: usize, of_source: &mut Rng) -> Self {
        let others = [Self::Documentation, Self::Python, Self::Translations, Self::Debugging];
        let last = others[of_source.usize(..others.len())];
        [Self::Programs, Self::Library, Self::Development, last][number % SIBLINGS]
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Programs => "",
            Self::Library => "-libs",
            Self::Development => "-devel",
            Self::Python => "-python3",
            Self::Documentation => "-doc",
            Self::Translations => "-langpacks",
            Self::Debugging => "-debuginfo",
        }
    }

    fn arch(self, chance: &mut Rng) -> &'static str {
        match self {
            Self::Documentation | Self::Translations => "noarch",
            Self::Python if chance.bool() => "noarch",
            _ => ["x86_64", "x86_64", "x86_64", "i686", "aarch64"][chance.usize(..5)],
        }
    }
}

fn description(chance: &mut Rng) -> String {
    let mut lines = Vec::new();
    for _ in 0..chance.usize(2..7) {
        let words = chance.usize(8..13);
        lines.push(sentence(chance, words));
    }
    format!("{}.", lines.join(".\n"))
}

/// What it provides, needs, replaces and would like to have.
fn related(mut recipe: Recipe, chance: &mut Rng, kind: Kind, source: &str, number: usize) -> Recipe {
    let evr = format!("{}-{}", recipe.version, recipe.release);
    let mut provided = BTreeSet::new();
    for _ in 0..chance.usize(4..18) {
        let word = any(chance, SUBJECTS);
        provided.insert(match kind {
            Kind::Library => format!("lib{source}-{word}.so.{}()(64bit)", chance.u8(..9)),
            Kind::Development => format!("pkgconfig({source}-{word}) = {}", recipe.version),
            Kind::Python => format!("python3.9dist({source}-{word}) = {}", recipe.version),
            _ => format!("{source}({word}) = {evr}"),
        });
    }
    let mut needed = BTreeSet::from(["/bin/sh".to_owned(), "rtld(GNU_HASH)".to_owned()]);
    if kind != Kind::Library {
        needed.insert(format!("{source}-libs = {evr}"));
    }
    for _ in 0..chance.usize(3..28) {
        let word = any(chance, SUBJECTS);
        let (major, minor) = (chance.u8(..4), chance.u8(..35));
        needed.insert(match chance.u8(..4) {
            0 => format!("libc.so.6(GLIBC_2.{minor})(64bit)"),
            1 => format!("lib{word}.so.{major}()(64bit)"),
            2 => format!("{word} >= {major}.{minor}"),
            _ => format!("{}-libs", source_name(chance.usize(..number.max(40)) / SIBLINGS)),
        });
    }
    for dependency in &provided {
        recipe = recipe.provides(dependency);
    }
    for dependency in &needed {
        recipe = recipe.requires(dependency);
    }
    if chance.u8(..) < 30 {
        let before = chance.u8(..9);
        recipe = recipe.obsoletes(&format!("{source}-{} < 0.{before}", any(chance, SUBJECTS)));
    }
    if chance.u8(..) < 30 {
        recipe = recipe.recommends(any(chance, SUBJECTS));
    }
    if chance.u8(..) < 10 {
        recipe = recipe.conflicts(&format!("{} < 1.{}", any(chance, SUBJECTS), chance.u8(..9)));
    }
    recipe
}

/// How many entries it has: few have most of them, a hundred in the mean.
fn count_of_paths(chance: &mut Rng) -> usize {
    match chance.u8(..100) {
        0..25 => chance.usize(1..11),
        25..70 => chance.usize(10..80),
        70..92 => chance.usize(80..250),
        _ => chance.usize(250..1001),
    }
}

/// Its files, and its directories with a slash at the end.
fn paths(chance: &mut Rng, kind: Kind, source: &str, version: &str) -> BTreeSet<String> {
    let count = count_of_paths(chance);
    let mut paths = BTreeSet::new();
    let mut folder = String::new();
    while paths.len() < count {
        // Files come in folders of about a dozen.
        if folder.is_empty() || chance.u8(..12) == 0 {
            folder = folder_of(chance, kind, source, version);
            if !is_of_the_system(&folder) {
                paths.insert(folder.clone());
            }
            continue;
        }
        let (word, other, number) = (any(chance, SUBJECTS), any(chance, PHRASES), chance.u16(..100));
        let name = match kind {
            Kind::Programs if folder.ends_with("bin/") => format!("{source}-{word}-{other}"),
            Kind::Programs => format!("{word}_{other}{number}.conf"),
            Kind::Library => format!("lib{source}-{word}_{other}.so.{number}"),
            Kind::Development => format!("{word}_{other}{number}.h"),
            Kind::Python => format!("{word}_{other}{number}.{}", ["py", "cpython-39.pyc"][chance.usize(..2)]),
            Kind::Documentation => format!("{word}-{other}-{number}.html"),
            Kind::Translations => format!("{source}-{word}.mo"),
            Kind::Debugging => format!("{}.debug", hexadecimal(chance, 38)),
        };
        // A folder may have no more names to give.
        if !paths.insert(format!("{folder}{name}")) {
            folder.clear();
        }
    }
    paths
}

fn is_of_the_system(folder: &str) -> bool {
    folder.matches('/').count() < 4
}

fn folder_of(chance: &mut Rng, kind: Kind, source: &str, version: &str) -> String {
    let (word, number) = (any(chance, SUBJECTS), chance.u16(..1000));
    match kind {
        Kind::Programs => match chance.u8(..4) {
            0 => "/usr/bin/".to_owned(),
            1 => "/usr/sbin/".to_owned(),
            2 => format!("/etc/{source}/{word}.d/"),
            _ => format!("/usr/share/{source}/{word}{number}/"),
        },
        Kind::Library if chance.bool() => "/usr/lib64/".to_owned(),
        Kind::Library => format!("/usr/lib64/{source}/{word}-{number}/"),
        Kind::Development => format!("/usr/include/{source}-{version}/{word}{number}/"),
        Kind::Python => format!("/usr/lib/python3.9/site-packages/{source}/{word}{number}/"),
        Kind::Documentation => format!("/usr/share/doc/{source}-{version}/html/{word}{number}/"),
        Kind::Translations => format!("/usr/share/locale/{}_{number}/LC_MESSAGES/", &word[..2]),
        Kind::Debugging => format!("/usr/lib/debug/.build-id/{}/", hexadecimal(chance, 2)),
    }
}

/// What happened to it, the newest first; packages of one source share it.
fn changed(mut recipe: Recipe, chance: &mut Rng, edition: u32, built: u32, evr: &str) -> Recipe {
    let mut date = built;
    for update in (0..edition).rev() {
        let text = format!("- Update number {} of this package", update + 1);
        recipe = recipe.change(date - date % DAY, &format!("Ann Archer <ann@example.org> - {evr}"), &text);
        date -= DAY;
    }
    for _ in 0..chance.usize(5..11) {
        let person = any(chance, PEOPLE).replace('_', " ");
        let address = person.to_lowercase().replace(' ', ".");
        let author = format!("{person} <{address}@example.org> - {evr}");
        let mut lines = Vec::new();
        for _ in 0..chance.usize(2..7) {
            let deed = any(chance, DEEDS).replace('_', " ");
            let words = chance.usize(2..8);
            lines.push(format!(
                "- {deed} {} (#{})",
                sentence(chance, words).to_lowercase(),
                chance.u32(1000..2_000_000)
            ));
        }
        // rpm dates changes to noon.
        recipe = recipe.change(date - date % DAY + DAY / 2, &author, &lines.join("\n"));
        date -= chance.u32(DAY..90 * DAY);
    }
    recipe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_makes_one_package_and_no_other_has_its_name() {
        let names: BTreeSet<String> = (0..50_000)
            .map(|number| {
                let source = source_name(number / SIBLINGS);
                let kind = number % SIBLINGS;
                format!("{source} {kind}")
            })
            .collect();
        assert_eq!(names.len(), 50_000);
        assert_eq!(invented(1, 7, 0).build(), invented(1, 7, 0).build());
        assert_ne!(invented(1, 7, 0).build(), invented(2, 7, 0).build());
        let (first, update) = (invented(1, 7, 0), invented(1, 7, 1));
        assert_eq!((&first.name, &first.files), (&update.name, &update.files));
        assert!(first.nevra().evr < update.nevra().evr, "{:?} {:?}", first.nevra(), update.nevra());
    }

    #[test]
    fn packages_have_the_spread_of_a_distribution() {
        let recipes: Vec<_> = (0..2000).map(|number| invented(1, number, 0)).collect();
        let entries: Vec<_> =
            recipes.iter().map(|recipe| recipe.files.len() + recipe.directories.len()).collect();
        let mean = entries.iter().sum::<usize>() / entries.len();
        assert!((80..120).contains(&mean), "{mean} entries in the mean");
        assert_eq!(entries.iter().min(), Some(&1));
        assert!(entries.iter().max().is_some_and(|most| (800..=1000).contains(most)));
        for recipe in &recipes {
            let (provides, requires) = (recipe.provides.len() + 1, recipe.requires.len());
            assert!((3..=20).contains(&provides), "{provides} provides of {}", recipe.name);
            assert!((4..=31).contains(&requires), "{requires} requires of {}", recipe.name);
            assert!((5..=10).contains(&recipe.changelog.len()));
        }
        assert!(recipes.iter().any(|recipe| !recipe.obsoletes.is_empty()));
        assert!(recipes.iter().any(|recipe| !recipe.recommends.is_empty()));
    }
}
