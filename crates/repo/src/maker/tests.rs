use super::*;
use crate::{FileFacts, FileKind, Package, package_of, read_head, sha256};

/// Recipes that between them use everything a recipe has.
pub(crate) fn samples() -> Vec<Recipe> {
    vec![
        Recipe::new("meta", "3.2.12", "1").requires("full = 1:2.0~rc1-3.el9").requires("(a or b)"),
        Recipe::new("full", "2.0~rc1", "3.el9")
            .epoch(1)
            .arch("x86_64")
            .summary("Größe & <Zeichen>")
            .file("/usr/bin/full", "#!/bin/sh\n")
            .file("/usr/share/full/table", vec![7; 5000])
            .file("/etc/full.conf", "a=1\n")
            .directory("/usr/share/full")
            .provides("virtual = 3")
            .requires("/usr/bin/full")
            .requires("/bin/sh")
            .conflicts("other < 2")
            .obsoletes("older <= 1:0.5-1")
            .recommends("soft")
            .suggests("softer >= 1")
            .change(1_700_000_000, "Ann <ann@example.org> - 2.0~rc1-3  ", "- third")
            .change(1_700_000_000, "Bob <bob@example.org> - 2.0~rc1-2", "- second\n- of two lines"),
        Recipe::new("root", "1.0", "2")
            .source()
            .arch("x86_64")
            .file("root.spec", "Name: root\n")
            .requires("gcc"),
    ]
}

fn package(recipe: &Recipe) -> Package {
    let rpm = recipe.build();
    let head = read_head(&mut rpm.as_slice()).unwrap();
    head.check_header().unwrap();
    let facts =
        FileFacts { size: rpm.len() as u64, digest: sha256(&rpm).into(), mtime: 5, href: recipe.file_name() };
    package_of(&head, facts).unwrap()
}

#[test]
fn what_is_made_is_what_was_asked_for() {
    for recipe in samples() {
        let package = package(&recipe);
        assert_eq!(package.nevra, recipe.nevra());
        assert_eq!(package.summary, recipe.summary);
        assert_eq!(package.description, recipe.description);
        assert_eq!(package.build_host, recipe.build_host);
        assert_eq!(package.time_build, i64::from(recipe.build_time));
        assert_eq!(package.href, recipe.nevra().file_name());
        assert_eq!(package.source_rpm.is_empty(), recipe.source);
        assert_eq!(package.files.len(), recipe.files.len() + recipe.directories.len());
    }
}

#[test]
fn the_same_recipe_gives_the_same_bytes() {
    for recipe in samples() {
        assert_eq!(recipe.build(), recipe.clone().build());
    }
}

#[test]
fn two_recipes_that_differ_give_different_bytes() {
    let recipe = Recipe::new("foo", "1", "1");
    assert_ne!(recipe.build(), recipe.clone().build_time(1_700_000_001).build());
    assert_ne!(recipe.build(), recipe.clone().build_host("other.example.org").build());
    assert_ne!(recipe.build(), recipe.clone().epoch(0).build());
}

#[test]
fn a_package_provides_itself_and_a_source_package_nothing() {
    let shown = |recipe: &Recipe| -> Vec<String> {
        package(recipe).provides.iter().map(|relation| relation.dependency().to_string()).collect()
    };
    let all = samples();
    assert_eq!(shown(&all[0]), ["meta = 0:3.2.12-1"]);
    assert_eq!(shown(&all[1]), ["full = 1:2.0~rc1-3.el9", "full(x86-64) = 1:2.0~rc1-3.el9", "virtual = 0:3"]);
    assert_eq!(shown(&all[2]), [""; 0]);
}

#[test]
fn files_keep_their_kind_and_stand_by_path() {
    let shown: Vec<(String, FileKind)> =
        package(&samples()[1]).files.into_iter().map(|file| (file.path, file.kind)).collect();
    let expected = [
        ("/etc/full.conf", FileKind::File),
        ("/usr/bin/full", FileKind::File),
        ("/usr/share/full", FileKind::Directory),
        ("/usr/share/full/table", FileKind::File),
    ];
    assert_eq!(shown, expected.map(|(path, kind)| (path.to_owned(), kind)));
}

#[test]
fn a_full_name_starts_a_recipe() {
    for text in ["foo-2:1-3.noarch", "foo-1-1.i686", "foo-1-1.src"] {
        let nevra: Nevra = text.parse().unwrap();
        assert_eq!(Recipe::of(&nevra).nevra(), nevra);
        assert_eq!(package(&Recipe::of(&nevra)).nevra, nevra);
    }
}

/// The one other reader of RPMs that needs no system around it agrees.
#[test]
fn the_rpm_crate_reads_the_same() {
    for recipe in samples() {
        let metadata = rpm::PackageMetadata::parse(&mut recipe.build().as_slice()).unwrap();
        assert_eq!(metadata.get_name().unwrap(), recipe.name);
        assert_eq!(metadata.get_version().unwrap(), recipe.version);
        assert_eq!(metadata.get_release().unwrap(), recipe.release);
        assert_eq!(metadata.is_source_package(), recipe.source);
        let paths = metadata.get_file_paths().unwrap_or_default();
        assert_eq!(paths.len(), recipe.files.len() + recipe.directories.len());
    }
}
