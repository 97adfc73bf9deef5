//! Words about a repository, which stand in its `repomd.xml` before the records.

use crate::characters::escape_text;
use crate::fragments::attribute;
use crate::repomd::Note;

/// What createrepo_c's `--content`, `--repo` and `--distro` say, in its order.
///
/// ```
/// use repo::{Repomd, Tags};
///
/// let mut repomd = Repomd::new("1700000000");
/// let fedora = ("cpe:/o:fedoraproject:fedora:17".to_owned(), "Fedora 17".to_owned());
/// repomd.set_tags(&Tags { distro: vec![fedora], ..Tags::default() });
/// let written = String::from_utf8(repomd.write())?;
/// assert!(written.contains("<distro cpeid=\"cpe:/o:fedoraproject:fedora:17\">Fedora 17</distro>"));
/// # Ok::<(), std::string::FromUtf8Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// What the packages are.
    pub content: Vec<String>,
    /// What the repository is.
    pub repo: Vec<String>,
    /// Which distributions it belongs to: the CPE identifier, which may be empty, and the name.
    pub distro: Vec<(String, String)>,
}

impl Tags {
    /// Writes the element; `None` if there is nothing in it.
    pub(crate) fn note(&self) -> Option<Note> {
        let mut raw = b"<tags>\n".to_vec();
        let begun = raw.len();
        let mut element = |name: &str, cpeid: &str, text: &str| {
            raw.extend_from_slice(b"    <");
            raw.extend_from_slice(name.as_bytes());
            if !cpeid.is_empty() {
                attribute(&mut raw, "cpeid", cpeid);
            }
            raw.push(b'>');
            escape_text(&mut raw, text);
            raw.extend_from_slice(format!("</{name}>\n").as_bytes());
        };
        self.content.iter().for_each(|text| element("content", "", text));
        self.repo.iter().for_each(|text| element("repo", "", text));
        self.distro.iter().for_each(|(cpeid, text)| element("distro", cpeid, text));
        let filled = raw.len() > begun;
        raw.extend_from_slice(b"  </tags>");
        filled.then(|| Note { name: "tags".into(), raw })
    }
}
