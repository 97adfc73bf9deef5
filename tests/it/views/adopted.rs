//! What was adopted may lie where views would: it answers for its time, and views of the stage come after that.

use testkit::{createrepo_c, fetch};

use super::{Bench, CONFIG, DELTA, both, package};
use crate::adopt::write;

#[test]
fn old_hrefs_below_the_folder_for_views_answer_and_views_wait_for_the_end_of_their_time() {
    let without = CONFIG.replace("views = [\"delta\"]\n", "");
    let mut bench = Bench::new(&without);
    let daemon = bench.site.start();
    let old = bench.sandbox.folder("old");
    let old_one = package("old", "7");
    let href = format!("node-types/glite-UI/Packages/{}", old_one.file_name());
    write(&old.join(&href), old_one.build());
    createrepo_c(&old, &["--simple-md-filenames"]).ok();
    let text = std::fs::read_to_string(bench.site.config()).unwrap();
    let views = text.replace("platforms = [", "views = [\"delta\"]\nplatforms = [");
    let adopt = ["adopt", old.as_str(), "--stage", "delta"];

    bench.reload(&daemon, &views, || true);
    let ran = bench.site.sluice(&adopt);
    assert!(ran.code() == 3 && ran.to_string().contains("would lie where the views"), "{ran}");
    bench.reload(&daemon, &text, || true);
    bench.site.sluice(&adopt).ok();
    let url = format!("{}/{DELTA}", bench.nginx.base_url());
    assert_eq!(fetch(&format!("{url}/{href}")).body, old_one.build());

    // Views would need its place.
    bench.reload(&daemon, &views, || true);
    bench.import(&both());
    assert_eq!(fetch(&format!("{url}/node-types/glite-UI/repodata/repomd.xml")).status, 404);
    assert_eq!(fetch(&format!("{url}/{href}")).body, old_one.build());
    bench.is_sound(daemon);
}
