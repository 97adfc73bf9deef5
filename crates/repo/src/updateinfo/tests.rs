use super::*;
use expect_test::expect;

fn parsed(text: &str) -> Result<Vec<(String, String)>, String> {
    let read = Updateinfo::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    let shown = |one: Advisory| (one.id, String::from_utf8(one.raw).unwrap());
    Ok(read.advisories.into_iter().map(shown).collect())
}

#[test]
fn advisories_come_out_as_they_went_in() {
    let one = "<update from='a@b' status=\"final\"><!-- why --><id>A-1</id><id>not this</id>\n<x:y xmlns:x=\"u\"/></update>";
    let other = "<update><title>&lt;&amp;</title><id>\n A-2 </id></update>";
    let file = format!("\u{feff}<?xml version=\"1.0\"?>\n<updates>\n  {one}{other}\n</updates>\n");
    let expected = vec![("A-1".to_owned(), one.to_owned()), ("A-2".to_owned(), other.to_owned())];
    assert_eq!(parsed(&file).unwrap(), expected);
    let written = Updateinfo::parse(file.as_bytes()).unwrap().write();
    assert_eq!(parsed(std::str::from_utf8(&written).unwrap()).unwrap(), expected);
    assert_eq!(Updateinfo::parse(&written).unwrap().write(), written);
    assert_eq!(parsed("<updates/>"), Ok(Vec::new()));
}

#[test]
fn what_cannot_be_cut_is_refused() {
    let check = |text: &str, words: &str| {
        let said = parsed(text).unwrap_err();
        assert!(said.contains(words), "{text}: {said}");
    };
    check("<comps/>", "its outermost element is `comps`, not `updates`");
    check("<updates><group/></updates>", "`group` is no advisory");
    check("<updates><a:update xmlns:a=\"u\"><id>1</id></a:update></updates>", "is no advisory");
    check("<updates><update><title/></update></updates>", "an advisory has no `id`");
    check("<updates><update><id> </id></update></updates>", "an advisory has no `id`");
    check("<updates><update><id>1</id>", "it ends early");
    check("<updates xmlns:a=\"u\"/>", "declares a prefix, `xmlns:a`");
    check("<updates/><updates/>", "more follows");
    check("<!DOCTYPE updates [<!ENTITY a \"b\">]><updates/>", "document type");
}

#[test]
fn a_new_one_says_what_clients_read() {
    let packages: Vec<Nevra> =
        ["voms-2-1.x86_64", "lcg-1:2-1.noarch"].iter().map(|text| text.parse().unwrap()).collect();
    let announced = Announced {
        id: "retracted-1",
        from: "glite",
        status: "retracted",
        kind: "recommended",
        version: 2,
        title: "a < b",
        severity: None,
        references: &[],
        suggests_reboot: false,
        description: "run\nthis",
        issued: "2026-01-31 12:00:00",
        updated: "2026-02-28 00:00:00",
        collection: "glite \"delta\"",
        packages: packages.iter().collect(),
    };
    let advisory = Advisory::of(&announced);
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <updates>
          <update from="glite" status="retracted" type="recommended" version="2">
            <id>retracted-1</id>
            <title>a &lt; b</title>
            <issued date="2026-01-31 12:00:00"/>
            <updated date="2026-02-28 00:00:00"/>
            <description>run
        this</description>
            <pkglist>
              <collection short="glite &quot;delta&quot;">
                <name>glite "delta"</name>
                <package name="voms" epoch="0" version="2" release="1" arch="x86_64"><filename>voms-2-1.x86_64.rpm</filename></package>
                <package name="lcg" epoch="1" version="2" release="1" arch="noarch"><filename>lcg-2-1.noarch.rpm</filename></package>
              </collection>
            </pkglist>
          </update>
        </updates>
    "#]]
    .assert_eq(&String::from_utf8(Updateinfo { advisories: vec![advisory.clone()] }.write()).unwrap());
    let written = Updateinfo { advisories: vec![advisory.clone()] }.write();
    assert_eq!(Updateinfo::parse(&written).unwrap().advisories, [advisory]);
    let references = ["CVE-2026-1", "https://example.org/?a&b"].map(str::to_owned);
    let more =
        Announced { severity: Some("Low"), references: &references, suggests_reboot: true, ..announced };
    let text = String::from_utf8(Advisory::of(&more).raw).unwrap();
    for words in [
        "<severity>Low</severity>",
        "<reference href=\"https://www.cve.org/CVERecord?id=CVE-2026-1\" id=\"CVE-2026-1\" type=\"cve\" title=\"CVE-2026-1\"/>",
        "<reference href=\"https://example.org/?a&amp;b\" id=\"https://example.org/?a&amp;b\" type=\"other\"",
        "</filename><reboot_suggested>True</reboot_suggested></package>",
    ] {
        assert!(text.contains(words), "{text}");
    }
}

/// An advisory of one collection that names these packages, all in version 1-1 for noarch.
fn advisory(version: u32, title: &str, names: &[&str]) -> Advisory {
    let line = |name: &&str| {
        format!(
            "\n      <package name=\"{name}\" version=\"1\" release=\"1\" epoch=\"0\" arch=\"noarch\"><filename>{name}</filename></package>"
        )
    };
    let lines: String = names.iter().map(line).collect();
    let text = format!(
        "<updates><update version=\"{version}\"><id>A</id><title>{title}</title><pkglist>\n    <collection short=\"c\"><name>C</name>{lines}\n    \
         </collection>\n  </pkglist><reboot_suggested/></update></updates>"
    );
    Updateinfo::parse(text.as_bytes()).unwrap().advisories.remove(0)
}

fn names(advisory: &Advisory) -> Vec<&str> {
    advisory.packages().map(|nevra| nevra.name.as_str()).collect()
}

#[test]
fn what_goes_is_cut_and_nothing_else() {
    let whole = advisory(1, "t", &["a", "b", "c"]);
    let cut = |stay: &[&str]| whole.cut(|nevra| stay.contains(&nevra.name.as_str()));
    assert_eq!(cut(&["b"]), Some(advisory(1, "t", &["b"])));
    assert_eq!(cut(&["a", "c"]), Some(advisory(1, "t", &["a", "c"])));
    assert_eq!(cut(&["a", "b", "c"]), Some(whole.clone()));
    assert_eq!(cut(&[]), None);
}

#[test]
fn an_empty_collection_goes_and_what_is_no_name_stays_beside_the_others() {
    let text = |first: &str, second: &str| {
        format!("<updates><update><id>A</id><pkglist>{first}{second}</pkglist></update></updates>")
    };
    let package = |name: &str| format!("<package name='{name}' version='1' release='1' arch='noarch'/>");
    let one = format!("\n<collection><module name='m'/>{}</collection>", package("a"));
    let other = format!("\n<collection short='d'>{}<package name='?'/></collection>", package("b"));
    let read = |text: String| Updateinfo::parse(text.as_bytes()).unwrap().advisories.remove(0);
    let whole = read(text(&one, &other));
    assert_eq!(whole.cut(|nevra| nevra.name == "b"), Some(read(text("", &other))));
    assert_eq!(whole.cut(|nevra| nevra.name == "a"), Some(read(text(&one, ""))));
}

#[test]
fn what_was_cut_comes_back() {
    let part = |names: &[&str]| advisory(1, "t", names);
    assert_eq!(part(&["a"]).merged(&part(&["b", "c"])), part(&["a", "b", "c"]));
    assert_eq!(part(&["a", "b"]).merged(&part(&["b"])), part(&["a", "b"]));
    let in_two = |first: &str, second: &str| {
        let text =
            format!("<updates><update><id>A</id><pkglist>{first}{second}</pkglist></update></updates>");
        Updateinfo::parse(text.as_bytes()).unwrap().advisories.remove(0)
    };
    let collection = |name: &str| {
        format!(
            "<collection short='{name}'><name>{name}</name><package name='{name}' version='1' release='1' arch='src'/>\n</collection>"
        )
    };
    let [a, b] = ["a", "b"].map(collection);
    assert_eq!(in_two(&a, "").merged(&in_two(&b, "")), in_two(&a, &b), "with a collection of its own");
    assert_eq!(in_two("", "").merged(&in_two(&b, "")), in_two(&b, ""), "into an empty list");
    let bare = |list: &str| {
        let text = format!("<updates><update version='2'><id>A</id>{list}</update></updates>");
        Updateinfo::parse(text.as_bytes()).unwrap().advisories.remove(0)
    };
    assert_eq!(names(&bare("").merged(&in_two(&b, ""))), ["b"], "into none");
    assert_eq!(names(&bare("<pkglist/>").merged(&in_two(&b, ""))), ["b"], "into one that is only a tag");
}

#[test]
fn the_newer_writing_counts_with_the_packages_of_both() {
    let (old, new) = (advisory(9, "old", &["a"]), advisory(10, "new", &["b"]));
    assert_eq!(old.merged(&new), advisory(10, "new", &["b", "a"]));
    assert_eq!(new.merged(&old), advisory(10, "new", &["b", "a"]));
    let other = advisory(9, "other", &["b"]);
    assert_eq!(old.merged(&other), advisory(9, "other", &["b", "a"]), "what arrives, if neither is newer");
    let dated = |date: &str| {
        let text = format!(
            "<updates><update><id>A</id><issued date='2000'/><updated date='{date}'/></update></updates>"
        );
        Updateinfo::parse(text.as_bytes()).unwrap().advisories.remove(0)
    };
    let [early, late] = ["2026-01-01 00:00:00", "2026-01-02 00:00:00"].map(dated);
    assert_eq!(late.merged(&early), late);
    assert_eq!(early.merged(&late), late);
}

#[test]
fn an_epoch_that_is_not_named_is_none() {
    let text = "<updates><update><id>A</id><pkglist><collection><package name='a' version='1' release='2' arch='src'/>\
                <package name='a' epoch='3' version='1' release='2' arch='src'/></collection></pkglist></update></updates>";
    let read = Updateinfo::parse(text.as_bytes()).unwrap();
    let named: Vec<String> = read.advisories[0].packages().map(Nevra::to_string).collect();
    assert_eq!(named, ["a-1-2.src", "a-3:1-2.src"]);
}

#[test]
fn one_id_does_not_stand_in_a_file_again_and_again() {
    let file = |count: usize| format!("<updates>{}</updates>", "<update><id>A</id></update>".repeat(count));
    assert_eq!(Updateinfo::parse(file(16).as_bytes()).unwrap().advisories.len(), 16);
    let error = Updateinfo::parse(file(17).as_bytes()).unwrap_err().to_string();
    assert!(error.contains("or of the id `A`"), "{error}");
}
