use super::*;

const TEXT: &str = "format = 1\n[site]\nname = \"T\"\nroot = \"/srv/sluice\"\nspool = \"/var/spool/sluice\"\n\
                    base_url = \"http://x\"\n[[product]]\nname = \"p\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n";

fn place(path: &str, mount: u64, owner: u32) -> Place {
    Place { path: path.into(), mount, owner }
}

fn ground(places: Vec<Place>) -> Ground {
    Ground { user: 7, base: "/srv/sluice".into(), file_system: 0xef53, places, label: None }
}

fn codes(ground: &Ground, asks: Asks, more: &str) -> Vec<Code> {
    let text = TEXT.replace("[[product]]", &format!("{more}[[product]]"));
    let config = Config::parse(text.as_bytes(), "f").unwrap();
    judge(ground, &config, asks).into_iter().map(|unfit| unfit.code).collect()
}

#[test]
fn a_root_that_does_not_exist_yet_or_belongs_to_the_writer_is_good_ground() {
    assert_eq!(codes(&ground(vec![]), Asks::Writer, ""), []);
    let own = ground(vec![place("/srv/sluice", 1, 7), place("/srv/sluice/pool", 1, 7)]);
    assert_eq!(codes(&own, Asks::Writer, ""), []);
}

#[test]
fn only_the_owner_of_everything_may_write() {
    let other = ground(vec![place("/srv/sluice", 1, 8)]);
    assert_eq!(codes(&other, Asks::Writer, ""), [Code::NotOwned]);
    assert_eq!(codes(&other, Asks::Reader, ""), []);
    let mixed = ground(vec![place("/srv/sluice", 1, 7), place("/srv/sluice/pool", 1, 0)]);
    assert_eq!(codes(&mixed, Asks::Writer, ""), [Code::NotOwned]);
    assert_eq!(codes(&mixed, Asks::Reader, ""), [Code::NotOwned]);
}

#[test]
fn every_part_lies_behind_the_mount_of_the_root() {
    let mixed = ground(vec![place("/srv/sluice", 1, 7), place("/srv/sluice/pool", 2, 7)]);
    assert_eq!(codes(&mixed, Asks::Reader, ""), [Code::TwoFileSystems]);
}

#[test]
fn file_systems_are_refused_by_their_number_unless_they_are_allowed() {
    for (number, name, code) in REFUSED {
        let ground = Ground { file_system: number, ..ground(vec![]) };
        assert_eq!(codes(&ground, Asks::Writer, ""), [code], "{name}");
        assert_eq!(codes(&ground, Asks::Writer, &format!("allow_file_systems = [{name:?}]\n")), []);
    }
}

#[test]
fn a_label_is_judged_by_its_type() {
    let root = Utf8Path::new("/srv/sluice");
    for good in ["system_u:object_r:public_content_t:s0", "system_u:object_r:httpd_sys_content_t:s0:c1,c2"] {
        assert_eq!(judge_label(good, root), None, "{good}");
    }
    let unfit = judge_label("unconfined_u:object_r:var_t:s0", root).unwrap();
    assert_eq!(unfit.code, Code::Label);
    assert!(unfit.reason.contains("`var_t`"), "{unfit}");
    assert_eq!(
        unfit.hint,
        "semanage fcontext -a -t public_content_t '/srv/sluice(/.*)?' && restorecon -R /srv/sluice"
    );
}

#[test]
fn the_kernel_tells_what_is_free() {
    let free = free(Utf8Path::new("/")).unwrap();
    assert!(free.bytes_all > 0 && free.bytes <= free.bytes_all && free.percent() <= 100.0);
}
