//! Where we say no and libsolv says yes: one small world for each kind there is.

use closure::Package;
use serde_json::json;

use super::worlds::Made;
use super::{change, everything_enters, not_installable, oracle};

/// Reads `nevra | requires a = 1 | provides b`.
fn package(line: &str) -> Package {
    let mut parts = line.split(" | ");
    let mut package = Package::new(parts.next().unwrap().parse().unwrap());
    for part in parts {
        match part.split_once(' ').unwrap() {
            ("requires", rest) => package.requires.push(rest.parse().unwrap()),
            ("provides", rest) => package.provides.push(rest.parse().unwrap()),
            (word, _) => panic!("{word}"),
        }
    }
    package
}

fn world(before: &[&str], after: &[&str], context: &[&str]) -> Made {
    let all = |lines: &[&str]| lines.iter().map(|line| package(line)).collect();
    Made { before: all(before), after: all(after), context: all(context) }
}

#[test]
fn a_32_bit_package_is_not_taken_alone_where_another_version_is_64_bit() {
    // libsolv looks only at what is reached, and nothing leads to foo 2-1.
    let world = world(&[], &["wants-1-1.noarch | requires foo >= 3"], &["foo-3-2.i686", "foo-2-1.x86_64"]);
    let folder = tempfile::tempdir().unwrap();
    oracle::write(folder.path(), &world);
    assert!(oracle::installable(&[folder.path()])[0]["wants-1-1.noarch"].is_empty());
    let ours = not_installable(&closure::judge(&everything_enters(&world)));
    let words = ours.into_values().collect::<String>();
    assert_eq!(
        words,
        "wants 1-1 needs foo >= 3, which only foo 3-2 (i686) offers; foo 3-2 (i686) stands only beside the same \
         version of foo for x86_64"
    );
}

#[test]
fn of_one_version_in_two_architectures_that_of_the_host_is_taken() {
    // libsolv takes the one that comes first.
    let context = ["foo-3-2.noarch | requires nothing-offers-it"];
    let world = world(&["foo-1-2.noarch"], &["foo-3-2.x86_64"], &context);
    let folder = tempfile::tempdir().unwrap();
    oracle::write(folder.path(), &world);
    oracle::write_repository(&folder.path().join("host"), &world.before);
    let theirs = oracle::ask(&[json!({ "ask": "upgrade", "folder": folder.path() })]);
    println!("libsolv: {}", theirs[0]);
    let ours = closure::upgrade(&change(&world, &world.before, &world.after), &world.before);
    let (words, judged) = ours.unwrap();
    assert!(judged);
    assert_eq!(
        words,
        "a host with these packages takes foo 3-2 for foo 1-2; foo 3-2 needs nothing-offers-it; nothing in target or \
         context offers it"
    );
    assert_eq!(theirs[0], json!([]));
}

#[test]
fn a_twin_that_was_lacking_is_no_excuse_for_what_the_change_takes() {
    // Before, libsolv takes second-1-1.i686 alone; the other that offers it never could be installed.
    let both = "wants-1-1.noarch | requires cap";
    let broken = "other-1-1.noarch | provides cap | requires nothing-offers-it";
    let second = "second-1-1.i686 | provides cap";
    let world = world(&[both, broken, second], &[both, broken], &["second-2-1.x86_64"]);
    let folder = tempfile::tempdir().unwrap();
    oracle::write(folder.path(), &world);
    let theirs = oracle::ask(&[json!({ "ask": "change", "folder": folder.path() })]).remove(0);
    assert_eq!(theirs["before"]["wants-1-1.noarch"], json!([]));
    assert_ne!(theirs["after"]["wants-1-1.noarch"], json!([]));
    let judgement = closure::judge(&change(&world, &world.before, &world.after));
    let broken: Vec<_> = not_installable(&judgement).into_keys().map(|nevra| nevra.to_string()).collect();
    assert_eq!(broken, ["wants-1-1.noarch"], "{judgement:?}");
}

#[test]
fn what_enters_for_64_bit_ties_a_32_bit_package_that_others_need() {
    let wants = "wants-1-1.noarch | requires foo < 2 | requires foo";
    let world = world(&[wants], &[wants, "foo-3-2.x86_64"], &["foo-1-1.i686"]);
    let folder = tempfile::tempdir().unwrap();
    oracle::write(folder.path(), &world);
    let theirs = oracle::ask(&[json!({ "ask": "change", "folder": folder.path() })]).remove(0);
    assert_eq!(theirs["before"]["wants-1-1.noarch"], json!([]));
    assert_ne!(theirs["after"]["wants-1-1.noarch"], json!([]));
    let judgement = closure::judge(&change(&world, &world.before, &world.after));
    let words = not_installable(&judgement).into_values().collect::<String>();
    assert_eq!(
        words,
        "wants 1-1 needs foo < 2, which only foo 1-1 (i686) offers; foo 1-1 (i686) stands only beside the same version of \
         foo for x86_64",
        "{judgement:?}"
    );
}
