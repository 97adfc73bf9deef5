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
}
