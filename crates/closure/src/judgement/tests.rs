//! Breakages taken from life, and how they are told.

mod beside;
mod headers;
mod hostile;

use std::sync::Arc;

use expect_test::{Expect, expect};

use super::*;
use crate::package::{Contents, File, FileKind};
use crate::shelf::Shelf;

/// Makes a package from its full name and lines such as `requires voms = 1`, `file /usr/bin/x` or
/// `meta` for nothing at all.
pub(crate) fn package(nevra: &str, lines: &[&str]) -> Package {
    let mut package = Package::new(nevra.parse().unwrap());
    for line in lines {
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "provides" => package.provides.push(rest.parse().unwrap()),
            "requires" => package.requires.push(rest.parse().unwrap()),
            "conflicts" => package.conflicts.push(rest.parse().unwrap()),
            "obsoletes" => package.obsoletes.push(rest.parse().unwrap()),
            "file" => package.files.push(file(rest)),
            "directory" => package.files.push(File { kind: FileKind::Directory, ..file(rest) }),
            word => panic!("{word}"),
        }
    }
    package
}

/// `/path`, or `/path text colour` where contents are known.
fn file(text: &str) -> File {
    let mut words = text.split(' ');
    let path = words.next().unwrap().to_owned();
    let contents = words.next().map(|text| Contents {
        mode: 0o100_755,
        user: "root".into(),
        group: "root".into(),
        size: 5,
        text: text.into(),
        colour: words.next().map_or(0, |colour| colour.parse().unwrap()),
        ghost: false,
    });
    File { path, kind: FileKind::File, contents }
}

/// Names those without files that require exactly one version of something: here these are the meta-packages.
fn metas<'a>(packages: impl IntoIterator<Item = &'a Package>) -> BTreeSet<Nevra> {
    let pins = |package: &&Package| {
        let mut bounds = package.requires.iter().filter_map(|required| required.bound.as_ref());
        package.files.is_empty() && bounds.any(|bound| bound.sense == nevra::Sense::Equal)
    };
    packages.into_iter().filter(pins).map(|package| package.nevra.clone()).collect()
}

/// A change of `production` on 64-bit hosts, with `base` as context and `delta` as the source.
struct Story {
    production: Vec<Package>,
    leave: Vec<&'static str>,
    enter: Vec<Package>,
    base: Vec<Package>,
    delta: Vec<Package>,
}

impl Default for Story {
    fn default() -> Self {
        let base = vec![
            package("bash-4.4-1.x86_64", &["file /bin/sh"]),
            package("glibc-2.17-1.x86_64", &["provides libc.so.6()(64bit)"]),
            package("glibc-2.17-1.i686", &["provides libc.so.6"]),
        ];
        Self { production: vec![], leave: vec![], enter: vec![], base, delta: vec![] }
    }
}

impl Story {
    fn change(self) -> Change {
        let meta_packages = metas(self.production.iter().chain(&self.enter));
        Change {
            platform: Arch::new("x86_64"),
            target: Arc::new(Shelf::new("production", self.production)),
            leave: self.leave.iter().map(|nevra| nevra.parse().unwrap()).collect(),
            enter: self.enter,
            context: vec![Arc::new(Shelf::new("base", self.base))],
            beside: vec![],
            elsewhere: vec![Arc::new(Shelf::new("delta", self.delta))],
            meta_packages,
            install_only: BTreeSet::from(["kernel".to_owned()]),
            goes_back: false,
        }
    }

    #[track_caller]
    fn check(self, expected: &Expect) {
        check(&self.change(), expected);
    }
}

#[track_caller]
fn check(change: &Change, expected: &Expect) {
    let judgement = judge(change);
    let line = |sign: &str, finding: &Finding| {
        let open = if finding.judged { "" } else { " (not judged)" };
        format!("{sign}{} {}{open}: {}\n", finding.check.as_str(), finding.subject, finding.words)
    };
    let broken = judgement.broken.iter().map(|finding| line("", finding));
    let known = judgement.known.iter().map(|finding| line("known: ", finding));
    expected.assert_eq(&broken.chain(known).collect::<String>());
}

#[test]
fn a_dependency_is_held_back_in_the_source_stage() {
    Story {
        production: vec![
            package("voms-1.9.10-1.x86_64", &["file /usr/bin/voms"]),
            package("glite-UI-3.2.6-1.noarch", &["requires voms = 1.9.10-1"]),
        ],
        enter: vec![package("glite-UI-3.2.7-1.noarch", &["requires voms = 1.9.14-1"])],
        delta: vec![package("voms-1.9.14-1.x86_64", &["file /usr/bin/voms"])],
        ..Story::default()
    }
    .check(&expect![[r#"
        fresh glite-UI-3.2.7-1.noarch: glite-UI 3.2.7-1 needs voms = 1.9.14-1; production has 1.9.10-1; 1.9.14-1 stays in delta
    "#]]);
}

#[test]
fn an_obsoletes_takes_what_is_pinned() {
    Story {
        production: vec![
            package("glite-security-1.0-1.x86_64", &["file /usr/lib/security"]),
            package("glite-WN-3.2.1-1.noarch", &["requires glite-security = 1.0-1"]),
        ],
        enter: vec![package("emi-security-2.0-1.x86_64", &["obsoletes glite-security < 2"])],
        ..Story::default()
    }
    .check(&expect![[r#"
        upgrade glite-WN-3.2.1-1.noarch: a host with glite-WN 3.2.1-1 takes emi-security 2.0-1 for glite-security 1.0-1, which it obsoletes; glite-WN 3.2.1-1 needs glite-security = 1.0-1
    "#]]);
}

#[test]
fn two_packages_bring_one_file() {
    Story {
        production: vec![package("lcg-tags-0.4-1.x86_64", &["file /usr/bin/lcg-tags aaa"])],
        enter: vec![
            package("lcg-info-1.12-1.x86_64", &["file /usr/bin/lcg-tags bbb"]),
            package("glite-UI-3.2.7-1.noarch", &["requires lcg-tags = 0.4-1", "requires lcg-info = 1.12-1"]),
        ],
        ..Story::default()
    }
    .check(&expect![[r#"
        files glite-UI-3.2.7-1.noarch: lcg-tags 0.4-1 and lcg-info 1.12-1 both bring `/usr/bin/lcg-tags`, with different contents
    "#]]);
}

#[test]
fn two_that_were_there_before_bring_one_file() {
    let tags = || package("lcg-tags-0.4-1.x86_64", &["file /usr/bin/lcg-tags aaa"]);
    let info = || package("lcg-info-1.12-1.x86_64", &["file /usr/bin/lcg-tags bbb"]);
    let ui =
        || package("glite-UI-3.2.7-1.noarch", &["requires lcg-tags = 0.4-1", "requires lcg-info = 1.12-1"]);
    Story { production: vec![tags(), info()], enter: vec![ui()], ..Story::default() }
        .check(&expect![[r#"
            files glite-UI-3.2.7-1.noarch: lcg-tags 0.4-1 and lcg-info 1.12-1 both bring `/usr/bin/lcg-tags`, with different contents
        "#]]);
    // What comes from a context to hosts that have the other already clashes as well, and who has both has both.
    let lcg = || package("lcg-1-1.noarch", &["requires lcg-info"]);
    let other = package("lcg-info-2-1.x86_64", &["file /usr/bin/lcg-info"]);
    let ui = || package("glite-UI-3.2.7-1.noarch", &["requires lcg-tags = 0.4-1", "requires lcg = 1-1"]);
    Story {
        production: vec![tags(), ui(), lcg(), other],
        leave: vec!["lcg-info-2-1.x86_64"],
        base: vec![package("lcg-info-1.12-1.x86_64", &["file /usr/bin/lcg-tags bbb"])],
        ..Story::default()
    }
    .check(&expect![[r#"
        files glite-UI-3.2.7-1.noarch: lcg-tags 0.4-1 and lcg-info 1.12-1 both bring `/usr/bin/lcg-tags`, with different contents
    "#]]);
    Story {
        production: vec![
            tags(),
            info(),
            ui(),
            lcg(),
            package("alone-1-1.noarch", &["provides lcg-info = 1"]),
        ],
        leave: vec!["alone-1-1.noarch"],
        ..Story::default()
    }
    .check(&expect![[r#""#]]);
}

#[test]
fn what_could_not_be_judged_before_excuses_nothing() {
    // Nobody can tell what it needs; what enters does not suffer it.
    let odd = package("odd-1-1.noarch", &["requires (a xor b)"]);
    let enter = vec![package("voms-2-1.x86_64", &["conflicts odd"])];
    let voms = package("voms-1-1.x86_64", &["file /usr/bin/voms"]);
    let needing = package("odd-tools-1-1.noarch", &["requires odd", "requires voms"]);
    Story { production: vec![odd, voms, needing], leave: vec!["voms-1-1.x86_64"], enter, ..Story::default() }
        .check(&expect![[r#"
            stays odd-tools-1-1.noarch (not judged): `odd-1-1.noarch`: failed to read the rich dependency `(a xor b)`: an operator is none that rpm knows
        "#]]);
}

#[test]
fn what_needs_something_that_nobody_can_read_is_not_judged_either() {
    let enter = vec![
        package("x-1-1.noarch", &["requires y"]),
        package("y-1-1.noarch", &["requires (a xor b)"]),
        package("z-1-1.noarch", &["requires y"]),
    ];
    Story { enter, ..Story::default() }.check(&expect![[r#"
        enters x-1-1.noarch (not judged): `y-1-1.noarch`: failed to read the rich dependency `(a xor b)`: an operator is none that rpm knows
        enters y-1-1.noarch (not judged): `y-1-1.noarch`: failed to read the rich dependency `(a xor b)`: an operator is none that rpm knows
        enters z-1-1.noarch (not judged): `y-1-1.noarch`: failed to read the rich dependency `(a xor b)`: an operator is none that rpm knows
    "#]]);
}

#[test]
fn two_node_types_pin_different_versions() {
    Story {
        production: vec![
            package("voms-1.9.10-1.x86_64", &["file /usr/bin/voms"]),
            package("glite-UI-3.2.6-1.noarch", &["requires voms = 1.9.10-1"]),
            package("glite-WMS-3.1.1-1.noarch", &["requires voms = 1.9.10-1"]),
        ],
        enter: vec![
            package("voms-1.9.14-1.x86_64", &["file /usr/bin/voms"]),
            package("glite-WMS-3.1.2-1.noarch", &["requires voms = 1.9.14-1"]),
        ],
        ..Story::default()
    }
    .check(&expect![[r#"
        upgrade glite-UI-3.2.6-1.noarch: a host with glite-UI 3.2.6-1 takes voms 1.9.14-1 for voms 1.9.10-1; glite-UI 3.2.6-1 needs voms = 1.9.10-1; only one voms can be installed
    "#]]);
}

#[test]
fn a_provider_is_removed() {
    Story {
        production: vec![
            package("gsoap-2.7-1.x86_64", &["provides libgsoap.so.0()(64bit)"]),
            package("dpm-1.8-1.x86_64", &["requires libgsoap.so.0()(64bit)"]),
            package("glite-SE-3.2-1.noarch", &["requires dpm = 1.8-1"]),
        ],
        leave: vec!["gsoap-2.7-1.x86_64"],
        ..Story::default()
    }
    .check(&expect![[r#"
        stays dpm-1.8-1.x86_64: dpm 1.8-1 needs libgsoap.so.0()(64bit); gsoap 2.7-1, which offers it, leaves production
        fresh glite-SE-3.2-1.noarch: glite-SE 3.2-1 needs dpm = 1.8-1; dpm 1.8-1 needs libgsoap.so.0()(64bit); gsoap 2.7-1, which offers it, leaves production
    "#]]);
}

#[test]
fn a_32_bit_twin_is_missing() {
    Story {
        production: vec![
            package("globus-2-1.x86_64", &["provides libglobus.so.0()(64bit)"]),
            package("globus-2-1.i686", &["provides libglobus.so.0", "requires libc.so.6"]),
        ],
        enter: vec![
            package(
                "globus-3-1.x86_64",
                &["provides libglobus.so.3()(64bit)", "requires libc.so.6()(64bit)"],
            ),
            package("gridftp-5-1.i686", &["requires libglobus.so.3", "requires libc.so.6"]),
        ],
        delta: vec![package("globus-3-1.i686", &["provides libglobus.so.3"])],
        ..Story::default()
    }
    .check(&expect![[r#"
        enters gridftp-5-1.i686: gridftp 5-1 (i686) needs libglobus.so.3; globus 3-1 (i686) stays in delta
    "#]]);
}

#[test]
fn a_rich_dependency_is_unmet() {
    Story {
        production: vec![package("java-1.6-1.x86_64", &["file /usr/bin/java"])],
        enter: vec![
            package("dcache-2-1.noarch", &["requires java", "requires (java-ext >= 3 if java >= 1.6)"]),
            package("argus-1-1.noarch", &["requires (tomcat6 or tomcat5)"]),
        ],
        delta: vec![package("java-ext-3-1.noarch", &["file /usr/lib/ext"])],
        ..Story::default()
    }
    .check(&expect![[r#"
        enters argus-1-1.noarch: argus 1-1 needs (tomcat6 or tomcat5); tomcat5 is missing: nothing in production or base offers it; tomcat6 is missing: nothing in production or base offers it
        enters dcache-2-1.noarch: dcache 2-1 needs java, which only java 1.6-1 offers; dcache 2-1 needs (java-ext >= 3 if java >= 1.6); java-ext >= 3 is missing: 3-1 stays in delta
    "#]]);
}

#[test]
fn the_owner_of_a_required_file_moved_it() {
    Story {
        production: vec![
            package("perl-5.8-1.x86_64", &["file /usr/bin/perl"]),
            package("edg-mkgridmap-3-1.noarch", &["requires /usr/bin/perl", "file /usr/sbin/edg-mkgridmap"]),
        ],
        leave: vec!["perl-5.8-1.x86_64"],
        enter: vec![package("perl-5.10-1.x86_64", &["file /opt/perl/bin/perl"])],
        ..Story::default()
    }
    .check(&expect![[r#"
        stays edg-mkgridmap-3-1.noarch: edg-mkgridmap 3-1 needs /usr/bin/perl; perl 5.8-1, which offers it, leaves production
    "#]]);
}

#[test]
fn a_pin_forgets_the_epoch() {
    Story {
        production: vec![package("torque-1:2.3.6-2.x86_64", &["file /usr/bin/qsub"])],
        enter: vec![package("glite-TORQUE-3.2.8-1.noarch", &["requires torque = 2.3.6-2"])],
        ..Story::default()
    }
    .check(&expect![[r#"
        fresh glite-TORQUE-3.2.8-1.noarch: glite-TORQUE 3.2.8-1 needs torque = 2.3.6-2; production has 1:2.3.6-2, and the requirement names no epoch
    "#]]);
}

#[test]
fn a_meta_package_installs_and_does_not_upgrade() {
    Story {
        production: vec![
            package("lb-server-1-1.x86_64", &["file /usr/bin/lb"]),
            package("glite-LB-3.1-1.noarch", &["requires lb-server = 1-1"]),
        ],
        enter: vec![
            package("lb-next-2-1.x86_64", &["conflicts lb-server < 2", "file /usr/bin/lb"]),
            package("glite-LB-3.2-1.noarch", &["requires lb-next = 2-1"]),
        ],
        ..Story::default()
    }
    .check(&expect![[r#"
        upgrade glite-LB-3.2-1.noarch: a host with glite-LB 3.1-1 takes glite-LB 3.2-1 for glite-LB 3.1-1 and keeps lb-server 1-1; glite-LB 3.2-1 needs lb-next = 2-1; lb-next 2-1 conflicts with lb-server < 2, and so lb-server 1-1
    "#]]);
}

#[test]
fn a_package_conflicts_with_the_context() {
    let mut story = Story {
        enter: vec![package("voms-admin-2-1.noarch", &["requires tomcat5", "requires fetch-crl = 3-1"])],
        ..Story::default()
    };
    story.base.push(package("tomcat5-5.5-1.x86_64", &["file /usr/share/tomcat5", "requires jakarta"]));
    story.base.push(package("jakarta-1-1.noarch", &["conflicts fetch-crl >= 3"]));
    story.base.push(package("fetch-crl-3-1.noarch", &["file /usr/sbin/fetch-crl"]));
    story.check(&expect![[r#"
        fresh voms-admin-2-1.noarch: voms-admin 2-1 needs tomcat5, which only tomcat5 5.5-1 offers; voms-admin 2-1 needs fetch-crl = 3-1; tomcat5 5.5-1 needs jakarta, which only jakarta 1-1 offers; jakarta 1-1 conflicts with fetch-crl >= 3, and so fetch-crl 3-1
    "#]]);
}

#[test]
fn a_chain_is_told_link_by_link() {
    Story {
        enter: vec![
            package("glite-CE-3.2-1.noarch", &["requires cream = 1-1"]),
            package("cream-1-1.x86_64", &["requires blah >= 2"]),
            package("blah-2-1.x86_64", &["requires libclassad.so.1()(64bit)"]),
        ],
        ..Story::default()
    }
    .check(&expect![[r#"
        enters blah-2-1.x86_64: blah 2-1 needs libclassad.so.1()(64bit); nothing in production or base offers it
        enters cream-1-1.x86_64: cream 1-1 needs blah >= 2, which only blah 2-1 offers; blah 2-1 needs libclassad.so.1()(64bit); nothing in production or base offers it
        fresh glite-CE-3.2-1.noarch: glite-CE 3.2-1 needs cream = 1-1; cream 1-1 needs blah >= 2, which only blah 2-1 offers; blah 2-1 needs libclassad.so.1()(64bit); nothing in production or base offers it
    "#]]);
}

/// Two versions of what a broken meta-package needs beside what was never there, of which `leave` leave.
fn broken_before(leave: Vec<&'static str>) -> Story {
    Story {
        production: vec![
            package("gsoap-2.7-1.x86_64", &["file /usr/lib/gsoap"]),
            package("gsoap-2.8-1.x86_64", &["file /usr/lib/gsoap"]),
            package("old-1-1.x86_64", &["requires gsoap", "requires never-there"]),
            package("glite-OLD-1-1.noarch", &["requires old = 1-1", "requires gsoap"]),
        ],
        leave,
        ..Story::default()
    }
}

#[test]
fn what_was_broken_before_is_told_and_not_blamed() {
    broken_before(vec!["gsoap-2.7-1.x86_64"]).check(&expect![[r#"
        known: fresh glite-OLD-1-1.noarch: glite-OLD 1-1 needs old = 1-1; old 1-1 needs never-there; nothing in production or base offers it
        known: stays old-1-1.x86_64: old 1-1 needs never-there; nothing in production or base offers it
    "#]]);
}

#[test]
fn what_was_broken_before_is_blamed_for_what_else_it_loses() {
    broken_before(vec!["gsoap-2.7-1.x86_64", "gsoap-2.8-1.x86_64"]).check(&expect![[r#"
        fresh glite-OLD-1-1.noarch: glite-OLD 1-1 needs gsoap; gsoap 2.8-1 leaves production; and it was broken before: glite-OLD 1-1 needs old = 1-1; old 1-1 needs never-there; nothing in production or base offers it
        stays old-1-1.x86_64: old 1-1 needs gsoap; gsoap 2.8-1 leaves production; and it was broken before: old 1-1 needs never-there; nothing in production or base offers it
    "#]]);
}

#[test]
fn older_versions_of_a_meta_package_that_stay_are_judged_too() {
    Story {
        production: vec![
            package("voms-1.9.10-1.x86_64", &[]),
            package("voms-1.9.14-1.x86_64", &[]),
            package("glite-UI-3.2.6-1.noarch", &["requires voms = 1.9.10-1"]),
            package("glite-UI-3.2.7-1.noarch", &["requires voms = 1.9.14-1"]),
        ],
        leave: vec!["voms-1.9.10-1.x86_64"],
        ..Story::default()
    }
    .check(&expect![[r#"
        stays glite-UI-3.2.6-1.noarch: glite-UI 3.2.6-1 needs voms = 1.9.10-1; production has 1.9.14-1; 1.9.10-1 leaves production
    "#]]);
}

#[test]
fn what_nobody_can_read_is_not_judged() {
    let deep = format!("requires {}a{}", "(".repeat(5_000), ")".repeat(5_000));
    let all: Vec<String> = (0..12).map(|n| format!("(a{n} and b{n})")).collect();
    let wide = format!("requires ({})", all.join(" or "));
    let deep = package("deep-1-1.noarch", &[&deep]);
    let wide = package("wide-1-1.noarch", &[&wide]);
    let bad = package("bad-1-1.noarch", &["requires (a xor b)"]);
    let named = |name: String| package(&format!("{name}-1-1.noarch"), &["file /x"]);
    let production = (0..12).flat_map(|n| [named(format!("a{n}")), named(format!("b{n}"))]).collect();
    Story { production, enter: vec![deep, wide, bad], ..Story::default() }.check(&expect![[r#"
        enters bad-1-1.noarch (not judged): `bad-1-1.noarch`: failed to read the rich dependency `(a xor b)`: an operator is none that rpm knows
        enters deep-1-1.noarch (not judged): `deep-1-1.noarch`: failed to read the rich dependency `((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((`: it nests deeper than 32 or names over 1000 capabilities
        enters wide-1-1.noarch (not judged): `wide-1-1.noarch` has a rich dependency with too many alternatives: `((a0 and b0) or (a1 and b1) or (a2 and b2) or (a3 and b3) or (a4 and b4) or (a5 `
    "#]]);
}

#[test]
fn twins_share_files_and_kernels_stand_side_by_side() {
    Story {
        production: vec![
            package("kernel-1-1.x86_64", &["file /boot/1"]),
            package("glite-HOST-1-1.noarch", &["requires kernel = 1-1", "requires voms = 1-1"]),
            package("voms-1-1.x86_64", &["file /usr/share/doc/voms", "file /usr/bin/voms x 2"]),
        ],
        enter: vec![
            package("kernel-2-1.x86_64", &["file /boot/2"]),
            package(
                "voms-1-1.i686",
                &["file /usr/share/doc/voms", "file /usr/bin/voms y 1", "provides voms32"],
            ),
            package("module-1-1.x86_64", &["requires kernel = 2-1"]),
            package(
                "glite-HOST-2-1.noarch",
                &["requires kernel = 1-1", "requires voms32", "requires module = 1-1"],
            ),
        ],
        ..Story::default()
    }
    .check(&expect![[""]]);
}
