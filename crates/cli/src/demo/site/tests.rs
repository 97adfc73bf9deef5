use super::*;

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let sandbox = tempfile::tempdir().unwrap();
    let folder = Utf8PathBuf::from_path_buf(sandbox.path().join("demo")).unwrap();
    (sandbox, folder)
}

#[test]
fn a_foreign_folder_is_never_emptied() {
    let (_sandbox, folder) = folder();
    fs::create_dir_all(folder.join("root")).unwrap();
    fs::write(folder.join("root/thesis"), "years of work").unwrap();
    let failure = prepare(&folder).unwrap_err();
    assert_eq!(failure.exit, 2);
    assert!(failure.sentence.contains("not empty"), "{failure:?}");
    assert!(folder.join("root/thesis").exists());
}

#[test]
fn the_folder_of_an_earlier_demo_is_emptied_but_for_what_is_not_the_demos() {
    let (_sandbox, folder) = folder();
    let prepared = prepare(&folder).unwrap();
    fs::create_dir_all(prepared.join("root/public/@1/a")).unwrap();
    fs::write(prepared.join("notes"), "mine").unwrap();
    fs::create_dir_all(prepared.join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../../elsewhere", prepared.join("root/public/link")).unwrap();
    for sealed in ["root/public/@1/a", "root/public/@1"] {
        fs::set_permissions(prepared.join(sealed), fs::Permissions::from_mode(0o555)).unwrap();
    }
    assert_eq!(prepare(&folder).unwrap(), prepared);
    assert!(!prepared.join("root").exists());
    assert!(prepared.join("notes").exists() && prepared.join("elsewhere").exists());
}

#[test]
fn the_folder_of_a_running_demo_is_left_alone() {
    let (_sandbox, folder) = folder();
    let prepared = prepare(&folder).unwrap();
    let store = Store::new(Arc::new(PosixDisk), prepared.join("root"));
    store.create_directories().unwrap();
    let _lock = store.lock().unwrap();
    assert_eq!(prepare(&folder).unwrap_err().exit, 4);
    assert!(prepared.join("root/public").exists());
}

#[test]
fn the_configuration_is_accepted_wherever_the_folder_is() {
    let text =
        configuration("/tmp/a \"b\"".into(), "http://127.0.0.1:1", ([127, 0, 0, 1], 1).into(), Door::Open);
    let config = Config::parse(text.as_bytes(), "sluice.toml").unwrap();
    assert_eq!(config.root, "/tmp/a \"b\"/root");
    // Eight stages, each with debuginfo and source beside it.
    assert_eq!(config.layout.repositories().len(), 24);
}
