//! An advisory of which only some packages are there.

use std::ops::Range;

use nevra::Nevra;

use super::Advisory;

impl Advisory {
    /// Makes the same advisory without the packages that do not stay; every other byte stays, and a collection of which no
    /// package is left goes. What is no full name of a package goes with the last that is one.
    ///
    /// Gives `None` if no package is left.
    ///
    /// ```
    /// let file = br#"<updates><update><id>A</id><pkglist><collection>
    ///   <package name="a" version="1" release="1" arch="noarch"/>
    ///   <package name="b" version="1" release="1" arch="noarch"/>
    /// </collection></pkglist></update></updates>"#;
    /// let read = repo::Updateinfo::parse(file)?;
    /// let cut = read.advisories[0].cut(|nevra| nevra.name == "b").unwrap();
    /// assert_eq!(cut.packages().map(|nevra| nevra.name.as_str()).collect::<Vec<_>>(), ["b"]);
    /// assert_eq!(cut.cut(|_| false), None);
    /// # Ok::<(), repo::Error>(())
    /// ```
    #[must_use]
    pub fn cut(&self, stays: impl Fn(&Nevra) -> bool) -> Option<Self> {
        let stays = |nevra: &Option<Nevra>| nevra.as_ref().map(&stays);
        let mut gone: Vec<Range<usize>> = Vec::new();
        let mut is_any_left = false;
        for collection in &self.named.collections {
            let is_left = |line: &super::named::Line| stays(&line.nevra) == Some(true);
            let goes = |line: &&super::named::Line| stays(&line.nevra) == Some(false);
            let is_left = collection.packages.iter().any(is_left);
            is_any_left |= is_left;
            let mut going = collection.packages.iter().filter(goes).peekable();
            match going.peek().is_some() && !is_left {
                true => gone.push(collection.range.clone()),
                false => gone.extend(going.map(|line| line.range.clone())),
            }
        }
        match (is_any_left, gone.is_empty()) {
            (false, _) => None,
            (true, true) => Some(self.clone()),
            (true, false) => Self::read(without(&self.raw, &gone)),
        }
    }
}

/// Leaves out these parts, which are in order.
fn without(raw: &[u8], gone: &[Range<usize>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut from = 0;
    for range in gone {
        out.extend_from_slice(&raw[from..range.start]);
        from = range.end;
    }
    out.extend_from_slice(&raw[from..]);
    out
}
