//! Which names may stand in a path, a repository name and a URL alike.

use super::fault::Faults;
use super::section::Text;

/// The most bytes of a name: three of them and an architecture still make a file name.
const LENGTH_MAX: usize = 60;

/// Says what is wrong with `name` as part of a path, `None` if nothing is.
pub(super) fn wrong(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    if name.is_empty() {
        return Some("it is empty".to_owned());
    }
    if name.len() > LENGTH_MAX {
        return Some(format!("it has more than {LENGTH_MAX} letters"));
    }
    if let Some(c) = name.chars().find(|c| !allowed(*c)) {
        return Some(format!("it contains `{}`", c.escape_debug()));
    }
    name.starts_with(['.', '-']).then(|| "it begins with `.` or `-`".to_owned())
}

/// Lets a good name pass and reports any other as a fault.
pub(super) fn good(text: &Text, what: &str, faults: &mut Faults<'_>) -> bool {
    let Some(reason) = wrong(&text.value) else {
        return true;
    };
    let shown: String = text.value.chars().take(LENGTH_MAX + 20).collect();
    let hint = "use letters, digits and `.`, `_`, `+`, `-`, not beginning with `.` or `-`";
    faults.add(
        text.at,
        format!("{what} `{}` cannot be used: {reason}", shown.escape_debug()),
        Some(hint.to_owned()),
    );
    false
}
