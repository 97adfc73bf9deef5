use super::*;
use crate::check_comps;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE comps PUBLIC \"-//Red Hat, Inc.//DTD Comps info//EN\" \"comps.dtd\">\n<comps>";

fn group(id: &str, names: &[&str]) -> String {
    let line = |name: &&str| format!("\n      <packagereq type=\"mandatory\">{name}</packagereq>");
    let lines: String = names.iter().map(line).collect();
    format!(
        "\n  <group>\n    <id>{id}</id>\n    <name xml:lang=\"de\">G</name>\n    <packagelist>{lines}\n    </packagelist>\n  </group>"
    )
}

fn read(text: &str) -> Comps {
    Comps::parse(format!("{HEAD}{text}\n</comps>\n").as_bytes()).unwrap()
}

fn one(names: &[&str]) -> CompsPart {
    read(&group("g", names)).parts.remove(0)
}

#[test]
fn parts_come_out_as_they_went_in() {
    let category = "\n  <category><id>c</id><grouplist>\n<groupid>g</groupid><groupid default=\"true\">h</groupid></grouplist></category>";
    let environment = "<environment><id>e</id><grouplist><groupid>g</groupid></grouplist><optionlist><groupid>h</groupid></optionlist></environment>";
    let text = format!(
        "{}<!-- why -->{category}{environment}<langpacks><match name=\"a\"/></langpacks>",
        group("g", &["a", "b"])
    );
    let comps = read(&text);
    let shown: Vec<_> = comps
        .parts
        .iter()
        .map(|part| (part.kind.as_str(), part.id.as_str(), part.names().collect::<Vec<_>>()))
        .collect();
    let expected = [
        ("group", "g", vec!["a", "b"]),
        ("category", "c", vec!["g", "h"]),
        ("environment", "e", vec!["g", "h"]),
        ("part", "", vec![]),
    ];
    assert_eq!(shown, expected);
    assert_eq!(String::from_utf8(comps.write()).unwrap(), format!("{HEAD}{text}\n</comps>\n"));
    for empty in ["<comps/>", "\u{feff}<comps></comps>\n"] {
        assert_eq!(Comps::parse(empty.as_bytes()).unwrap().parts, []);
    }
}

#[test]
fn what_goes_is_cut_and_comes_back() {
    let whole = one(&["a", "b", "c"]);
    let cut = |stay: &[&str]| whole.cut(|name| stay.contains(&name));
    assert_eq!(cut(&["b"]), Some(one(&["b"])));
    assert_eq!(cut(&["a", "b", "c"]), Some(whole.clone()));
    assert_eq!(cut(&[]), None);
    assert_eq!(one(&["c"]).merged(&one(&["a", "b"])), whole);
    assert_eq!(whole.merged(&one(&["b"])), whole);
    assert_eq!(one(&[]).cut(|_| false), Some(one(&[])), "one that lists nothing stays");
    assert_eq!(one(&["a"]).merged(&one(&[])), one(&["a"]));
}

#[test]
fn the_text_of_what_arrives_counts() {
    let other =
        |list: &str| read(&format!("\n<group><id>g</id><name>new</name>{list}</group>")).parts.remove(0);
    for list in ["", "<packagelist/>", "<packagelist></packagelist>"] {
        let merged = one(&["a"]).merged(&other(list));
        assert_eq!(merged.names().collect::<Vec<_>>(), ["a"], "{list}");
        assert!(String::from_utf8(merged.raw).unwrap().contains("<name>new</name>"));
    }
}

/// An environment with these elements.
fn environment(lists: &str) -> CompsPart {
    read(&format!("\n<environment><id>e</id>{lists}</environment>")).parts.remove(0)
}

#[test]
fn what_is_optional_stays_optional_wherever_it_comes_from() {
    let check = |own: &str, arriving: &str, expected: &str| {
        let merged = environment(own).merged(&environment(arriving));
        assert_eq!(String::from_utf8(merged.raw), String::from_utf8(environment(expected).raw));
    };
    let [a, b, c] = ["a", "b", "c"].map(|id| format!(" <groupid>{id}</groupid>"));
    let d = " <groupid default=\"true\">d</groupid>";
    let (list, optional) = (
        |lines: &[&str]| format!("<grouplist>{}</grouplist>", lines.concat()),
        |lines: &[&str]| format!("<optionlist>{}</optionlist>", lines.concat()),
    );
    let both = |mandatory: &[&str], lines: &[&str]| list(mandatory) + &optional(lines);
    check(&both(&[&a], &[d]), &both(&[&b], &[&c]), &both(&[&b, &a], &[&c, d]));
    check(&both(&[], &[d]), &both(&[&a], &[]), &both(&[&a], &[d]));
    check(&optional(&[d]), &list(&[&a]), &both(&[&a], &[d]));
    check(&both(&[&a], &[d]), "", &both(&[&a], &[d]));
    check(&both(&[&a], &[d]), "<grouplist/><optionlist/>", &both(&[&a], &[d]));
    // A list of what is optional may stand first, and then does.
    check(&list(&[&a]), &(optional(&[d]) + &list(&[&b])), &(optional(&[d]) + &list(&[&b, &a])));
    // Where both list it, what arrives says in which list.
    check(&both(&[&a], &[&b]), &both(&[&b], &[]), &both(&[&b, &a], &[]));
    check(&both(&[&a, &b], &[]), &both(&[], &[&b]), &both(&[&a], &[&b]));
    check(&both(&[&a], &[" <groupid>d</groupid>"]), &optional(&[d]), &(optional(&[d]) + &list(&[&a])));
    // What says nothing new changes nothing.
    check(&both(&[&a, &b], &[d]), &both(&[&b], &[d]), &both(&[&a, &b], &[d]));
}

#[test]
fn what_arrives_says_how_a_package_belongs_to_a_group() {
    let other = group("g", &["a"]).replace("mandatory", "conditional\" requires=\"x");
    let merged = one(&["a", "b"]).merged(&read(&other).parts[0]);
    let text = String::from_utf8(merged.raw).unwrap();
    assert!(text.contains("<packagereq type=\"conditional\" requires=\"x\">a<"), "{text}");
    assert!(text.contains("<packagereq type=\"mandatory\">b<"), "{text}");
}

#[test]
fn a_new_file_is_one_that_clients_take() {
    let comps = Comps { parts: vec![one(&["a"])], ..Comps::default() };
    assert!(check_comps(&comps.write()).is_ok());
    assert_eq!(Comps::parse(&comps.write()).unwrap().parts, comps.parts);
}

#[test]
fn what_cannot_be_cut_is_refused() {
    for text in [
        "<comps xmlns:a=\"u\"/>",
        "<comps><group>",
        "<!DOCTYPE comps [<!ENTITY a \"b\">]><comps/>",
        "<comps>\u{1}</comps>",
    ] {
        assert!(Comps::parse(text.as_bytes()).is_err(), "{text}");
    }
    let many: String = (0..10_001).map(|id| format!("<group><id>{id}</id></group>")).collect();
    let many = format!("<comps>{many}</comps>");
    assert!(Comps::parse(many.as_bytes()).unwrap_err().to_string().contains("more than 10000 groups"));
}

#[test]
fn parts_of_one_id_are_few() {
    let some =
        |count: usize, part: &str| Comps::parse(format!("<comps>{}</comps>", part.repeat(count)).as_bytes());
    let [a, b] = ["group", "category"].map(|kind| format!("<{kind}><id>a</id></{kind}>"));
    assert_eq!(some(16, &(a.clone() + &b)).unwrap().parts.len(), 32);
    let said = some(17, &a).unwrap_err().to_string();
    assert!(said.contains("more than 16 of group `a`"), "{said}");
    assert!(some(17, "<group/>").is_err());
    assert_eq!(some(100, "<langpacks/>").unwrap().parts.len(), 100);
}
