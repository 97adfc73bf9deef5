use super::ContextSource;
use crate::config::Config;
use expect_test::{Expect, expect};
use plan::Platform;

const SITE: &str = r#"format = 1
[site]
name = "T"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "http://localhost"
[[product]]
name = "glite"
preset = "glite"
platforms = ["sl5/x86_64", "sl6/x86_64"]
[[product.stage]]
name = "production"
closure = ["base"]
"#;

fn check(more: &str, expected: Expect) {
    let errors = Config::parse(format!("{SITE}{more}").as_bytes(), "f").unwrap_err();
    expected.assert_eq(&errors.to_string());
}

#[test]
fn a_context_is_a_folder_or_a_url_for_each_platform_of_the_products_that_name_it() {
    for (said, expected) in [
        ("folder = \"/srv/mirror//{os}/./{arch}/\"", "/srv/mirror/sl6/x86_64"),
        ("folder = \"/srv/base\"", "/srv/base"),
        ("url = \"https://mirror.example.org/{os}/{arch}/os/\"", "https://mirror.example.org/sl6/x86_64/os"),
    ] {
        let config = Config::parse(format!("{SITE}[[context]]\nname = \"base\"\n{said}\n").as_bytes(), "f");
        let config = config.unwrap_or_else(|errors| panic!("{errors}"));
        let used = config.contexts_used();
        let platforms: Vec<String> = used.iter().map(|(_, platform)| platform.to_string()).collect();
        assert_eq!(platforms, ["sl5/x86_64", "sl6/x86_64"]);
        let platform: Platform = "sl6/x86_64".parse().unwrap();
        assert_eq!(config.contexts["base"].source.at(&platform).as_str(), expected);
        assert_eq!(matches!(config.contexts["base"].source, ContextSource::Url(_)), said.starts_with("url"));
    }
}

#[test]
fn a_look_at_a_url_may_be_too_old() {
    let text = format!("{SITE}[[context]]\nname = \"base\"\nurl = \"http://h/x\"\nmax_age = \"30d\"\n");
    let config = Config::parse(text.as_bytes(), "f").unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.contexts["base"].max_age, Some(jiff::SignedDuration::from_hours(720)));
    let said = |words: &str| {
        let text = text.replace("max_age = \"30d\"\n", words);
        Config::parse(text.as_bytes(), "f").unwrap_or_else(|errors| panic!("{errors}")).contexts["base"]
            .max_age
    };
    // What nobody looks at any more is no proof, unless somebody says so.
    assert_eq!(said(""), Some(jiff::SignedDuration::from_hours(720)));
    assert_eq!(said("max_age = \"never\"\n"), None);
}

#[test]
fn what_a_context_cannot_be_is_told_with_its_place() {
    check(
        r#"[[context]]
name = "base"
[[context]]
name = "both"
folder = "/a"
url = "http://h/a"
[[context]]
name = "../x"
folder = "relative"
[[context]]
name = "a"
folder = "/a/../b"
[[context]]
name = "b"
folder = "/a/{stage}"
[[context]]
name = "c"
url = "http://h/{so}/"
[[context]]
name = "d"
url = "ftp://h/"
[[context]]
name = "e"
url = "http://h/$basearch"
[[context]]
name = "f"
folder = "/a}"
[[context]]
name = "g"
folder = "/a"
max_age = "30d"
[[context]]
name = "h"
url = "http://h/a"
max_age = "0s"
[[context]]
name = "i"
url = "http://h/a"
max_age = 30
[[context]]
name = "j"
folder = "/a"
ulr = "x"
[[context]]
name = "j"
folder = "/a"
"#,
        expect![[r#"
            f:13:12: "base" is neither a [[context]] nor another stage of `glite` (config/no-such-context)
              hint: contexts and other stages of this product: delta, j
            f:14:1: [[context]] needs exactly one of `folder` and `url` (config/value)
              hint: write `folder = "/srv/mirror/sl6/{os}/{arch}"` or `url = "https://..."`
            f:16:1: [[context]] needs exactly one of `folder` and `url` (config/value)
              hint: write `folder = "/srv/mirror/sl6/{os}/{arch}"` or `url = "https://..."`
            f:21:8: the context `../x` cannot be used: it contains `/` (config/value)
              hint: use letters, digits and `.`, `_`, `+`, `-`, not beginning with `.` or `-`
            f:22:10: `folder = "relative"` is relative (config/value)
              hint: write the whole path, beginning with `/`: the daemon has no directory of its own
            f:25:10: `folder = "/a/../b"` contains `..` (config/value)
              hint: write the path without it
            f:28:10: `folder = "/a/{stage}"` has an unknown placeholder `{stage}` (config/value)
              hint: placeholders: os, arch
            f:31:7: `url = "http://h/{so}/"` has an unknown placeholder `{so}` (config/value)
              hint: did you mean `os`?
            f:34:7: `url = "ftp://h/"` is not the URL of a directory (config/value)
              hint: write what stands as `baseurl` in a .repo file, http or https, variables as {os} and {arch}
            f:37:7: `url = "http://h/$basearch"` is not the URL of a directory (config/value)
              hint: write what stands as `baseurl` in a .repo file, http or https, variables as {os} and {arch}
            f:40:10: `folder = "/a}"` has a brace without its other half (config/value)
            f:44:11: `max_age` is about a `url`, and this context is a folder (config/value)
              hint: leave it out: a folder is read as it is, and how old it is only who fills it knows
            f:48:11: with `max_age` zero every look would be too old (config/value)
              hint: write "never" if no look is too old
            f:52:11: `max_age` must be a text, not a number (config/value)
              hint: put it between quotes
            f:56:1: unknown key `ulr` in [[context]] (config/unknown-key)
              hint: did you mean `url`?
            f:58:8: the context `j` stands in the file twice (config/twice)
              hint: the first one is in line 54"#]],
    );
}
