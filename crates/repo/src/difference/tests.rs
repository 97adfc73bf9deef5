use expect_test::{Expect, expect};

use super::*;
use crate::{Document, Written};

const OURS: &str = r#"<package type="rpm">
  <name>voms</name>
  <summary>a &amp; b</summary>
  <description></description>
  <time file="5" build="4"/>
  <format>
    <rpm:requires>
      <rpm:entry name="liba"/>
      <rpm:entry name="libc" flags="GE" epoch="0" ver="2"/>
      <rpm:entry name="libc" flags="LT" epoch="0" ver="3" pre="1"/>
    </rpm:requires>
    <file type="dir">/etc/voms</file>
    <file>/etc/voms/a</file>
  </format>
</package>"#;

fn primary(packages: &str) -> String {
    format!(
        r#"<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="1">{packages}</metadata>"#
    )
}

fn tree_of(file: &str) -> Tree {
    let written = Written::read(Document::Primary, file.as_bytes()).unwrap();
    written.tree(&written.packages[0]).unwrap()
}

fn check(theirs: &str, expected: &Expect) {
    let found = differences(&tree_of(theirs), &tree_of(&primary(OURS)));
    let word = |value: &Option<String>| value.as_ref().map_or("-".to_owned(), |value| format!("`{value}`"));
    let lines = found.iter().map(|difference| {
        let Difference { place, theirs, ours, .. } = difference;
        format!("{place}: theirs {}, ours {}\n", word(theirs), word(ours))
    });
    expected.assert_eq(&lines.collect::<String>());
}

fn changed(from: &str, to: &str, expected: &Expect) {
    assert!(OURS.contains(from), "`{from}` is not there");
    check(&primary(&OURS.replacen(from, to, 1)), expected);
}

#[test]
fn what_only_looks_different_is_equal() {
    check(&primary(OURS), &expect![""]);
    let other =
        OURS.replace("\n  ", "").replace('"', "'").replace("<description></description>", "<description/>");
    check(&primary(&other), &expect![""]);
    let prefixed = primary(OURS).replace("rpm:", "r:").replace(":rpm=", ":r=");
    check(&prefixed, &expect![""]);
    changed("a &amp; b", "<![CDATA[a & b]]><!-- said -->", &expect![""]);
    changed(r#"<time file="5" build="4"/>"#, r#"<time build="4" file="5"/>"#, &expect![""]);
}

#[test]
fn every_other_word_is_told_with_its_place() {
    changed("a &amp; b", "a &amp;amp; b", &expect!["summary: theirs `a &amp; b`, ours `a & b`\n"]);
    changed("a &amp; b", "a &amp; b ", &expect!["summary: theirs `a & b `, ours `a & b`\n"]);
    changed("file=\"5\"", "file=\"6\"", &expect!["time@file: theirs `6`, ours `5`\n"]);
    changed(" file=\"5\"", "", &expect!["time@file: theirs -, ours `5`\n"]);
    changed(" pre=\"1\"", "", &expect!["format/rpm:requires/rpm:entry[name=libc]@pre: theirs -, ours `1`\n"]);
    changed(" type=\"dir\"", "", &expect!["format/file[text=/etc/voms]@type: theirs -, ours `dir`\n"]);
    changed("<name>voms</name>", "", &expect!["name: theirs -, ours `<name>voms</name>`\n"]);
}

#[test]
fn an_element_is_lacking_only_where_nothing_means_the_same() {
    changed(
        r#"<rpm:entry name="libc" flags="GE" epoch="0" ver="2"/>"#,
        "",
        &expect![[r#"
            format/rpm:requires/rpm:entry[name=libc]: theirs -, ours `<rpm:entry epoch="0" flags="GE" name="libc" ver="2"/>`
        "#]],
    );
    changed(
        "<file>/etc/voms/a</file>",
        "<file>/etc/voms/b</file><checksums><file/></checksums>",
        &expect![[r#"
            format/file[text=/etc/voms/b]: theirs `<file>/etc/voms/b</file>`, ours -
            format/checksums: theirs `<checksums><file/></checksums>`, ours -
            format/file[text=/etc/voms/a]: theirs -, ours `<file>/etc/voms/a</file>`
        "#]],
    );
}

#[test]
fn the_order_of_equal_elements_is_a_difference_of_its_own() {
    let moved = OURS.replacen("      <rpm:entry name=\"liba\"/>\n", "", 1).replacen(
        "    </rpm:requires>",
        "<rpm:entry name=\"liba\"/></rpm:requires>",
        1,
    );
    check(
        &primary(&moved),
        &expect![[r#"
            format/rpm:requires (order): theirs `<rpm:entry epoch="0" flags="GE" name="libc" ver="2"/> comes first`, ours `<rpm:entry name="liba"/> comes first`
        "#]],
    );
}

#[test]
fn a_long_value_is_cut() {
    let long = "ö".repeat(5_000);
    let theirs = tree_of(&primary(&OURS.replace("a &amp; b", &long)));
    let found = differences(&theirs, &tree_of(&primary(OURS)));
    assert_eq!(found[0].theirs.as_ref().unwrap().chars().count(), 1_001);
}
