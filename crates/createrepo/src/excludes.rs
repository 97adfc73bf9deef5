//! Which package files are passed over: the patterns of `--excludes`.

/// Patterns over paths relative to the directory, as createrepo_c's: `*` is any text, slashes too, and `?` is
/// any one character. Nothing else is special, and a pattern must match the whole path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excludes {
    patterns: Vec<Vec<char>>,
}

impl Excludes {
    /// Takes patterns; none of them excludes nothing.
    pub fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Excludes {
        Excludes {
            patterns: patterns.into_iter().map(|pattern| pattern.as_ref().chars().collect()).collect(),
        }
    }

    /// Says whether any pattern matches the path.
    #[must_use]
    pub fn exclude(&self, href: &str) -> bool {
        let href: Vec<char> = if self.patterns.is_empty() { Vec::new() } else { href.chars().collect() };
        self.patterns.iter().any(|pattern| matches(pattern, &href))
    }
}

/// Matches in time proportional to the product of both lengths at worst: after a mismatch only the last `*`
/// takes one character more.
fn matches(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == text[read] => (at, read) = (at + 1, read + 1),
            _ => {
                let Some((behind, taken)) = star else { return false };
                star = Some((behind, taken + 1));
                (at, read) = (behind + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|&rest| rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, href: &str, expected: bool) {
        assert_eq!(Excludes::new([pattern]).exclude(href), expected, "`{pattern}` on `{href}`");
    }

    #[test]
    fn stars_take_slashes_and_marks_take_one_character() {
        check("*", "", true);
        check("*debuginfo*", "a/b/voms-debuginfo-1.rpm", true);
        check("a/*.rpm", "a/b/c.rpm", true);
        check("b/*.rpm", "a/b/c.rpm", false);
        check("c?.rpm", "cü.rpm", true);
        check("c?.rpm", "c.rpm", false);
        check("c.rpm", "a/c.rpm", false);
        check("[c].rpm", "c.rpm", false);
        check("[c].rpm", "[c].rpm", true);
        check("{a,b}.rpm", "a.rpm", false);
        check("*a*b*c", "xxaxxbxxcxc", true);
        check("*a*b*c", "xxaxxbxxcxd", false);
    }

    #[test]
    fn no_pattern_excludes_nothing_and_a_nasty_one_ends() {
        assert!(!Excludes::default().exclude("a.rpm"));
        check(&"*a".repeat(200), &"a".repeat(4000), true);
        check(&format!("{}b", "*a".repeat(200)), &"a".repeat(4000), false);
    }
}
