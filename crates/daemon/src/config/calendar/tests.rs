//! Freezes of the calendar, and who decides at a route.

use super::super::Config;

const SITE: &str =
    "format = 1\n[site]\nname = \"S\"\nroot = \"/r\"\nspool = \"/s\"\nbase_url = \"http://h\"\n";
const PRODUCT: &str = "[[product]]\nname = \"p\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n";

fn good(more: &str) -> Config {
    Config::parse(format!("{SITE}{PRODUCT}{more}").as_bytes(), "f").unwrap()
}

/// The text has exactly one fault, in the line that ends with `#!`.
#[track_caller]
fn bad(more: &str, words: &str) {
    let text = format!("{SITE}{PRODUCT}{more}");
    let errors = Config::parse(text.as_bytes(), "f").unwrap_err();
    assert_eq!(errors.faults.len(), 1, "{errors}");
    let line = text.lines().position(|line| line.ends_with("#!")).unwrap() + 1;
    assert_eq!(errors.faults[0].line, line, "{errors}");
    assert!(errors.to_string().contains(words), "{errors}");
}

#[test]
fn a_freeze_has_a_beginning_an_end_and_a_reason() {
    let times = "from = 2026-12-20T00:00:00Z\nuntil = \"2027-01-04T08:00:00+01:00\"\n";
    let config = good(&format!("[[freeze]]\nstage = \"production\"\n{times}reason = \"nobody is there\"\n"));
    let [time] = &config.layout.freezes[..] else { panic!("{:?}", config.layout.freezes) };
    assert_eq!((time.product.as_deref(), time.stage.as_deref()), (None, Some("production")));
    let plan::FreezeSpan::Once { from, until } = time.span else { panic!("{time:?}") };
    assert_eq!(until.duration_since(from).as_hours(), 15 * 24 + 7);
    assert!(time.is_for("p", "production") && time.is_for("q", "production") && !time.is_for("p", "delta"));
    let reason = "reason = \"r\"\n";
    bad(&format!("[[freeze]] #!\n{reason}from = 2026-12-20T00:00:00Z\n"), "`until`");
    bad(&format!("[[freeze]] #!\n{times}"), "`reason`");
    bad(&format!("[[freeze]]\n{times}reason = \" \" #!\n"), "must be one line");
    bad(&format!("[[freeze]]\n{times}{reason}stage = \"producton\" #!\n"), "did you mean `production`");
    bad(&format!("[[freeze]]\n{times}{reason}product = \"q\" #!\n"), "which does not exist");
    bad(
        &format!("[[freeze]]\n{reason}from = 2026-12-20T00:00:00Z\nuntil = 2026-12-20 #!\n"),
        "must be an instant",
    );
    bad(&format!("[[freeze]]\n{reason}from = 7 #!\nuntil = 2026-12-20T00:00:00Z\n"), "must be an instant");
    let backwards =
        "[[freeze]] #!\nfrom = 2026-12-20T00:00:00Z\nuntil = 2026-12-20T00:00:00Z\nreason = \"r\"\n";
    bad(backwards, "before it begins");
}

#[test]
fn a_freeze_of_every_week_has_two_days_and_a_place() {
    let table = |keys: &str| format!("[[freeze]]\nreason = \"r\"\n{keys}");
    let weekend = "from = \"Friday 12:00\"\nuntil = \"Mon 08:00\"\n";
    let evidence = |more: &str| good(&table(&format!("{weekend}{more}"))).layout.freezes[0].evidence();
    let words = "by the calendar frozen every week from Friday 12:00 until Monday 08:00";
    assert_eq!(evidence(""), format!("{words} (UTC): r"));
    assert_eq!(evidence("time_zone = \"Europe/Rome\"\n"), format!("{words} (Europe/Rome): r"));
    bad(&table(&format!("{weekend}time_zone = \"Europe/Rom\" #!\n")), "knows no time zone");
    bad(&table("from = \"Friday 12:00\"\nuntil = \"Someday 08:00\" #!\n"), "must be an instant");
    bad(&table("from = \"Friday 12:00\"\nuntil = 2026-12-20T00:00:00Z #!\n"), "of the same kind");
    bad(
        "[[freeze]] #!\nreason = \"r\"\nfrom = \"Friday 12:00\"\nuntil = \"Fri 12:00\"\n",
        "ends when it begins",
    );
    let once = "from = 2026-12-20T00:00:00Z\nuntil = 2026-12-21T00:00:00Z\n";
    bad(&table(&format!("{once}time_zone = \"UTC\" #!\n")), "is for a freeze of every week");
}

#[test]
fn people_have_several_names_and_no_name_is_of_two() {
    let config =
        good("[people]\nalice = [\"user:alice\", \"ssh:alice@example.org\"]\nbob = [\"as:ea-IT\"]\n");
    let person = |name: &str| config.layout.person(name).to_owned();
    assert_eq!(
        [person("ssh:alice@example.org"), person("as:ea-IT"), person("user:x")],
        ["alice", "bob", "user:x"]
    );
    for (names, words) in [
        ("[\"group:mu\"]", "is no name of a person"),
        ("[\"alice\"]", "is no name of a person"),
        ("[\"user:alice\"]\nbob = [\"user:alice\"]", "is `alice` already"),
    ] {
        bad(&format!("[people]\nalice = {names} #!\n"), words);
    }
}

#[test]
fn a_route_says_who_approves_and_how_long_packages_soak() {
    let route = "[[product.route]]\nfrom = \"delta\"\nto = \"production\"\n";
    let config = good(&format!(
        "{route}soak = \"7 days\"\napprovals = [{{ role = \"ops\", count = 2 }}, {{ role = \"qa\" }}]\n"
    ));
    let product = &config.layout.products["p"];
    let said = product.route("delta", "production").unwrap();
    assert_eq!(said.soak.as_hours(), 7 * 24);
    let approvals: Vec<_> = said.approvals.iter().map(|one| (one.role.as_str(), one.count)).collect();
    assert_eq!(approvals, [("ops", 2), ("qa", 1)]);
    assert_eq!(product.freeze_roles, ["release-team"]);
    assert!(product.stages.iter().all(|stage| stage.waiver_roles.is_empty()), "nobody may by default");
    let warned: Vec<_> = config.warnings.iter().map(|warning| warning.reason.as_str()).collect();
    assert!(warned.iter().any(|reason| reason.contains("the role `ops`, which nobody has")), "{warned:?}");
    for (approvals, words) in [
        ("[{ role = \"ops\", count = 0 }]", "is not a number of people from 1 to 20"),
        ("[{ role = \"ops\", count = 21 }]", "is not a number of people from 1 to 20"),
        ("[{ count = 1 }]", "`role`"),
        ("[{ role = \"ops\" }, { role = \"ops\" }]", "twice"),
        ("[{ role = \"ops\", counts = 1 }]", "did you mean `count`"),
    ] {
        bad(&format!("{route}approvals = {approvals} #!\n"), words);
    }
    bad(&format!("{route}soak = \"long\" #!\n"), "`soak = \"long\"` is not a length of time");
}

#[test]
fn variants_are_decided_by_several_roles_or_by_nobody() {
    let roles = |more: &str| good(more).layout.products["p"].variant_roles.clone();
    assert_eq!(roles(""), Vec::<String>::new());
    assert_eq!(roles("variant_roles = [\"release-team\", \"ops\"]\n"), ["release-team", "ops"]);
    bad("variant_roles = [\"ops\"] #!\n", "a variant takes two people");
    bad("variant_roles = [\"ops\", \"qa\", \"ops\"] #!\n", "stands in `variant_roles` twice");
}
