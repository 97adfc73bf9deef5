//! One package with a bit of everything, and what createrepo_c 0.17.3 wrote for it.

use nevra::{Algorithm, Digest, Nevra};

use crate::package::{Changelog, File, FileKind, Package, Relation};

pub(crate) const PRIMARY: &str = r##"<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="1">
<package type="rpm">
  <name>sample</name>
  <arch>noarch</arch>
  <version epoch="1" ver="1.2~rc1" rel="3"/>
  <checksum type="sha256" pkgid="YES">bdcfed2dad247e738506d6af7160ddcc0642998f67a3be905ec3ced6fd7efaf4</checksum>
  <summary>Tom &amp; "Jerry" &lt;cat's&gt; mouse</summary>
  <description>  A description with &lt;tags&gt; &amp; "quotes" 'single'
and	tabs, trailing spaces

and blank lines. Ünïcode.</description>
  <packager>Päck &lt;p@example.org&gt;</packager>
  <url>http://example.org/?a=1&amp;b=2</url>
  <time file="1767355300" build="1767355200"/>
  <size package="8227" installed="18" archive="1204"/>
  <location href="Packages/a&amp;&#xFC;/sample-1.2~rc1-3.noarch.rpm"/>
  <format>
    <rpm:license>GPL &amp; "x"</rpm:license>
    <rpm:vendor>Vendör &lt;v&gt;</rpm:vendor>
    <rpm:group>Applications/System</rpm:group>
    <rpm:buildhost>builder.example.org</rpm:buildhost>
    <rpm:sourcerpm>sample-1.2~rc1-3.src.rpm</rpm:sourcerpm>
    <rpm:header-range start="4504" end="8005"/>
    <rpm:provides>
      <rpm:entry name="alpha-virtual" flags="EQ" epoch="2" ver="3" rel="4"/>
      <rpm:entry name="gr&#xFC;&#xDF;e&#x20AC;&#x1D11E;" flags="EQ" epoch="0" ver="1"/>
      <rpm:entry name="plain"/>
      <rpm:entry name="sample" flags="EQ" epoch="1" ver="1.2~rc1" rel="3"/>
      <rpm:entry name="ver" flags="EQ" epoch="0" ver="5"/>
    </rpm:provides>
    <rpm:requires>
      <rpm:entry name="(foo &gt;= 1 if bar &lt; 2)"/>
      <rpm:entry name="/bin/sh" pre="1"/>
      <rpm:entry name="/sbin/ldconfig" pre="1"/>
      <rpm:entry name="bash" flags="GE" epoch="0" ver="4"/>
      <rpm:entry name="libfoo" flags="LT" epoch="1" ver="2.0" rel="1"/>
      <rpm:entry name="shadow-utils" pre="1"/>
    </rpm:requires>
    <rpm:conflicts>
      <rpm:entry name="oldalpha" flags="LE" epoch="0" ver="1.0"/>
    </rpm:conflicts>
    <rpm:obsoletes>
      <rpm:entry name="olderalpha" flags="LT" epoch="0" ver="2"/>
    </rpm:obsoletes>
    <rpm:suggests>
      <rpm:entry name="sugg"/>
    </rpm:suggests>
    <rpm:enhances>
      <rpm:entry name="enh" flags="EQ" epoch="0" ver="1"/>
    </rpm:enhances>
    <rpm:recommends>
      <rpm:entry name="rec" flags="GE" epoch="0" ver="2"/>
    </rpm:recommends>
    <rpm:supplements>
      <rpm:entry name="supp"/>
    </rpm:supplements>
    <file>/etc/al&amp;&lt;x&gt;"'.conf</file>
    <file>/etc/alpha.conf</file>
    <file type="ghost">/etc/ghost</file>
    <file>/usr/bin/alpha</file>
    <file>/usr/lib/sendmail</file>
  </format>
</package>
</metadata>"##;

pub(crate) const FILELISTS: &str = r##"<?xml version="1.0" encoding="UTF-8"?>
<filelists xmlns="http://linux.duke.edu/metadata/filelists" packages="1">
<package pkgid="bdcfed2dad247e738506d6af7160ddcc0642998f67a3be905ec3ced6fd7efaf4" name="sample" arch="noarch">
  <version epoch="1" ver="1.2~rc1" rel="3"/>
  <file>/etc/al&amp;&lt;x&gt;"'.conf</file>
  <file>/etc/alpha.conf</file>
  <file type="ghost">/etc/ghost</file>
  <file>/usr/bin/alpha</file>
  <file>/usr/lib/sendmail</file>
  <file type="dir">/usr/share/alpha</file>
  <file type="dir">/usr/share/alpha/dir</file>
  <file>/usr/share/alpha/dir/x</file>
  <file>/usr/share/alpha/f&amp;&lt;i&gt;"le</file>
</package>
</filelists>"##;

pub(crate) const OTHER: &str = r##"<?xml version="1.0" encoding="UTF-8"?>
<otherdata xmlns="http://linux.duke.edu/metadata/other" packages="1">
<package pkgid="bdcfed2dad247e738506d6af7160ddcc0642998f67a3be905ec3ced6fd7efaf4" name="sample" arch="noarch">
  <version epoch="1" ver="1.2~rc1" rel="3"/>
  <changelog author="Al &lt;a@x&gt; - 1.2-1" date="1767268800">- same day two</changelog>
  <changelog author="Al &lt;a@x&gt;  - 1.2-2" date="1767268801">- same day one</changelog>
  <changelog author="B&#xF6;b&#x20AC;&#9;* Fri Jan 02 2026 Bob &amp; &quot;B&quot; &quot;B&quot; &lt;bob@x&gt; - 1.2-3" date="1767355200">- fix &lt;that&gt; &amp; "this"
- other</changelog>
</package>
</otherdata>"##;

/// The package that the three texts are about.
pub(crate) fn package() -> Package {
    let text = str::to_owned;
    let file = |kind, path: &str| File { kind, path: path.to_owned() };
    let change =
        |date, author: &str, text: &str| Changelog { author: author.to_owned(), date, text: text.to_owned() };
    Package {
        nevra: "sample-1:1.2~rc1-3.noarch".parse::<Nevra>().unwrap(),
        pkgid: Digest::new(
            Algorithm::Sha256,
            "bdcfed2dad247e738506d6af7160ddcc0642998f67a3be905ec3ced6fd7efaf4",
        )
        .unwrap(),
        href: text("Packages/a&ü/sample-1.2~rc1-3.noarch.rpm"),
        summary: text("Tom & \"Jerry\" <cat's> mouse"),
        description: text(
            "  A description with <tags> & \"quotes\" 'single'\nand\ttabs, trailing spaces\n\nand blank lines. Ünïcode.",
        ),
        packager: text("Päck <p@example.org>"),
        url: text("http://example.org/?a=1&b=2"),
        license: text("GPL & \"x\""),
        vendor: text("Vendör <v>"),
        group: text("Applications/System"),
        build_host: text("builder.example.org"),
        source_rpm: text("sample-1.2~rc1-3.src.rpm"),
        time_file: 1_767_355_300,
        time_build: 1_767_355_200,
        size_package: 8227,
        size_installed: 18,
        size_archive: 1204,
        header_start: 4504,
        header_end: 8005,
        provides: vec![
            relation("alpha-virtual EQ 2 3 4"),
            relation("grüße€𝄞 EQ 0 1"),
            relation("plain"),
            relation("sample EQ 1 1.2~rc1 3"),
            relation("ver EQ 0 5"),
        ],
        requires: vec![
            Relation { name: text("(foo >= 1 if bar < 2)"), ..relation("x") },
            Relation { pre: true, ..relation("/bin/sh") },
            Relation { pre: true, ..relation("/sbin/ldconfig") },
            relation("bash GE 0 4"),
            relation("libfoo LT 1 2.0 1"),
            Relation { pre: true, ..relation("shadow-utils") },
        ],
        conflicts: vec![relation("oldalpha LE 0 1.0")],
        obsoletes: vec![relation("olderalpha LT 0 2")],
        suggests: vec![relation("sugg")],
        enhances: vec![relation("enh EQ 0 1")],
        recommends: vec![relation("rec GE 0 2")],
        supplements: vec![relation("supp")],
        files: vec![
            file(FileKind::File, "/etc/al&<x>\"'.conf"),
            file(FileKind::File, "/etc/alpha.conf"),
            file(FileKind::Ghost, "/etc/ghost"),
            file(FileKind::File, "/usr/bin/alpha"),
            file(FileKind::File, "/usr/lib/sendmail"),
            file(FileKind::Directory, "/usr/share/alpha"),
            file(FileKind::Directory, "/usr/share/alpha/dir"),
            file(FileKind::File, "/usr/share/alpha/dir/x"),
            file(FileKind::File, "/usr/share/alpha/f&<i>\"le"),
        ],
        changelogs: vec![
            change(1_767_268_800, "Al <a@x> - 1.2-1", "- same day two"),
            change(1_767_268_801, "Al <a@x>  - 1.2-2", "- same day one"),
            change(
                1_767_355_200,
                "Böb€\t* Fri Jan 02 2026 Bob & \"B\" \"B\" <bob@x> - 1.2-3",
                "- fix <that> & \"this\"\n- other",
            ),
        ],
    }
}

/// Reads `name FLAGS epoch version release`.
fn relation(text: &str) -> Relation {
    let mut words = text.split(' ').map(str::to_owned);
    let name = words.next().unwrap();
    let flags = words.next().map(|flags| ["EQ", "LT", "LE", "GE"].into_iter().find(|f| *f == flags).unwrap());
    Relation { name, flags, epoch: words.next(), version: words.next(), release: words.next(), pre: false }
}

/// A whole repository of several packages that differ in name and pkgid.
pub(crate) fn repository(count: usize) -> Vec<Package> {
    (0..count)
        .map(|number| {
            let mut package = package();
            package.nevra.name = format!("sample{number}");
            let pkgid = crate::sha256(number.to_string().as_bytes());
            package.href = format!("Packages/{}/{}", pkgid.shard(), package.nevra.file_name());
            package.pkgid = pkgid.into();
            package
        })
        .collect()
}

/// Primary, filelists and other of some packages, uncompressed.
pub(crate) fn files_of(packages: &[Package]) -> [Vec<u8>; 3] {
    let entries: Vec<_> = packages.iter().map(crate::entry_of).collect();
    let metadata = crate::write_metadata(&entries, 1_767_355_200, &[]);
    let mut files = metadata.files.into_iter().map(|(_, bytes)| crate::gunzip(&bytes, 1 << 30).unwrap());
    std::array::from_fn(|_| files.next().unwrap())
}

/// Makes up a damaged copy: bytes flipped, cut out, doubled, or replaced by pieces of XML.
pub(crate) fn damage(bytes: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    const PIECES: [&str; 18] = [
        "<",
        ">",
        "/",
        "\"",
        "'",
        "&",
        ";",
        "&#x41;",
        "&#0;",
        "&boom;",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]>",
        "</package>",
        "<package ",
        "\0",
    ];
    let mut out = bytes.to_vec();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..out.len());
        let end = (at + random.usize(1..40)).min(out.len());
        match random.u8(..5) {
            0 => out[at] ^= 1 << random.u8(..8),
            1 => drop(out.drain(at..end)),
            2 => {
                let copy = out[at..end].to_vec();
                let to = random.usize(..out.len());
                out.splice(to..to, copy);
            }
            3 => drop(out.splice(at..at, PIECES[random.usize(..PIECES.len())].bytes())),
            _ => out.truncate(out.len() - random.usize(..out.len().min(60))),
        }
        if out.is_empty() {
            break;
        }
    }
    out
}
