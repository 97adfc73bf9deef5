use super::*;
use crate::sample;

#[test]
fn fragments_are_what_createrepo_c_writes() {
    let fragments = fragments_of(&sample::package());
    let inside = |text: &str, root: &str| {
        let (_, rest) = text.split_once("packages=\"1\">\n").unwrap();
        rest.strip_suffix(&format!("</{root}>")).unwrap().to_owned()
    };
    let text = |slice: &Slice| String::from_utf8(slice.to_vec()).unwrap();
    assert_eq!(text(&fragments.primary), inside(sample::PRIMARY, "metadata"));
    assert_eq!(text(&fragments.filelists), inside(sample::FILELISTS, "filelists"));
    assert_eq!(text(&fragments.other), inside(sample::OTHER, "otherdata"));
}

#[test]
fn a_package_with_nothing_to_say_says_so_in_createrepo_cs_words() {
    let mut package = sample::package();
    for text in [&mut package.summary, &mut package.url, &mut package.source_rpm, &mut package.vendor] {
        text.clear();
    }
    for relations in [&mut package.provides, &mut package.requires, &mut package.conflicts] {
        relations.clear();
    }
    for relations in [&mut package.obsoletes, &mut package.suggests, &mut package.enhances] {
        relations.clear();
    }
    (package.recommends, package.supplements) = (Vec::new(), Vec::new());
    (package.files, package.changelogs) = (Vec::new(), Vec::new());
    package.nevra.evr.epoch = 0;
    let fragments = fragments_of(&package);
    expect_test::expect![[r#"
        <package type="rpm">
          <name>sample</name>
          <arch>noarch</arch>
          <version epoch="0" ver="1.2~rc1" rel="3"/>
          <checksum type="sha256" pkgid="YES">bdcfed2dad247e738506d6af7160ddcc0642998f67a3be905ec3ced6fd7efaf4</checksum>
          <summary></summary>
          <description>  A description with &lt;tags&gt; &amp; "quotes" 'single'
        and	tabs, trailing spaces

        and blank lines. Ünïcode.</description>
          <packager>Päck &lt;p@example.org&gt;</packager>
          <url></url>
          <time file="1767355300" build="1767355200"/>
          <size package="8227" installed="18" archive="1204"/>
          <location href="Packages/a&amp;&#xFC;/sample-1.2~rc1-3.noarch.rpm"/>
          <format>
            <rpm:license>GPL &amp; "x"</rpm:license>
            <rpm:vendor></rpm:vendor>
            <rpm:group>Applications/System</rpm:group>
            <rpm:buildhost>builder.example.org</rpm:buildhost>
            <rpm:sourcerpm></rpm:sourcerpm>
            <rpm:header-range start="4504" end="8005"/>
          </format>
        </package>
    "#]]
    .assert_eq(&String::from_utf8_lossy(&fragments.primary));
    expect_test::expect![[r#"
        <package pkgid="bdcfed2dad247e738506d6af7160ddcc0642998f67a3be905ec3ced6fd7efaf4" name="sample" arch="noarch">
          <version epoch="0" ver="1.2~rc1" rel="3"/>
        </package>
    "#]]
    .assert_eq(&String::from_utf8_lossy(&fragments.filelists));
    assert_eq!(fragments.other, fragments.filelists);
}

#[test]
fn slices_share_their_buffer_and_compare_by_bytes() {
    let buffer = Arc::new(b"abcabc".to_vec());
    let (first, second) = (Slice::of(&buffer, 0..3), Slice::of(&buffer, 3..99));
    assert_eq!(first, second);
    assert_eq!(&*second, b"abc");
    assert_eq!(Arc::strong_count(&buffer), 3);
    assert_eq!(Slice::of(&buffer, 50..99).len(), 0);
}
