use crate::config::Config;
use expect_test::expect;

/// Shows what is wrong with a route from `delta` to `production` that these accounts take.
fn told(approvals: &str, rest: &str) -> String {
    let text = format!(
        "format = 1\n[site]\nname = \"T\"\nroot = \"/srv/sluice\"\nspool = \"/var/spool/sluice\"\n\
         base_url = \"http://localhost\"\ndoor = \"uid:7\"\n[[product]]\nname = \"glite\"\npreset = \"glite\"\n\
         platforms = [\"el9/x86_64\"]\n[[product.route]]\nfrom = \"delta\"\nto = \"production\"\n{approvals}\n{rest}"
    );
    match Config::parse(text.as_bytes(), "f") {
        Ok(_) => String::new(),
        Err(errors) => {
            assert!(errors.faults.iter().all(|fault| fault.code == crate::config::Code::UnnamedPerson));
            let told = errors.faults.iter();
            told.map(|fault| format!("{}:{}: {}", fault.line, fault.column, fault.reason))
                .collect::<Vec<_>>()
                .join("\n")
        }
    }
}

const TWO: &str = "approvals = [{ role = \"quality\", count = 2 }]";

#[test]
fn who_could_count_twice_is_named() {
    let mixed = "[roles]\nquality = [\"user:alice\", \"ssh:alice@example.org\", \"as:ea-IT\"]\n";
    expect![[r#"
        17:12: `[people]` does not say who "user:alice" is: from `delta` to `production` of `glite` keys and names at the door and users of this host ask and approve, and who is two of them would count twice
        17:26: `[people]` does not say who "ssh:alice@example.org" is: from `delta` to `production` of `glite` keys and names at the door and users of this host ask and approve, and who is two of them would count twice
        17:51: `[people]` does not say who "as:ea-IT" is: from `delta` to `production` of `glite` keys and names at the door and users of this host ask and approve, and who is two of them would count twice"#]]
    .assert_eq(&told(TWO, mixed));
    let half = format!("{mixed}[people]\nalice = [\"user:alice\", \"ssh:alice@example.org\"]\n");
    let told_half = told(TWO, &half);
    assert!(told_half.contains("17:51: ") && told_half.lines().count() == 1, "{told_half}");
    assert_eq!(told(TWO, &format!("{half}italy = [\"as:ea-IT\"]\n")), "");
}

#[test]
fn whoever_asks_does_not_approve_by_another_name() {
    let roles = "[roles]\nrelease-team = [\"uid:1000\"]\nquality = [\"ssh:alice@example.org\"]\n";
    assert_eq!(told(TWO, roles).lines().count(), 2);
    // The members of a group cannot be told from the file; who signs can.
    let roles = "[roles]\nrelease-team = [\"group:mu\"]\n[roles.product.glite]\nquality = [\"ssh:a@b\"]\n";
    let told_group = told(TWO, roles);
    assert!(
        told_group.starts_with("19:12: ")
            && told_group.contains("ssh:a@b")
            && told_group.lines().count() == 1,
        "{told_group}"
    );
    assert_eq!(told(TWO, &format!("{roles}[people]\na = [\"user:a\", \"ssh:a@b\"]\n")), "");
}

#[test]
fn nobody_counts_twice_where_everybody_has_one_name() {
    let mixed = "[roles]\nquality = [\"user:alice\", \"ssh:alice@example.org\"]\n";
    assert_eq!(told("", mixed), "", "nobody approves");
    assert_eq!(told(TWO, "[roles]\nquality = [\"user:alice\", \"uid:7001\", \"group:mu\"]\n"), "");
    assert_eq!(told(TWO, "[roles]\nquality = [\"ssh:a@b\", \"ssh:c@d\"]\n"), "");
    let elsewhere = "[roles]\nquality = [\"user:alice\"]\nadmin = [\"ssh:alice@example.org\"]\n";
    assert_eq!(told(TWO, elsewhere), "", "a role that neither asks nor approves");
}
