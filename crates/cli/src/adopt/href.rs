//! An href of a repository as an address, and as a name on the disk.

/// Writes the address of an href: what cannot stand in one is escaped, what is escaped stays so.
pub fn address(base: &str, href: &str) -> String {
    let mut url = format!("{}/", base.trim_end_matches('/'));
    for byte in href.bytes() {
        match byte {
            b'"' | b'#' | b'<' | b'>' | b'?' | b'`' | b'{' | b'|' | b'}' | b'\\' | b'^' | b' ' => {
                url.push_str(&format!("%{byte:02X}"));
            }
            0x21..0x7f => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

/// Reads `%2B` as `+`, as the server does; `None` where that is no text, or leads out of the repository.
pub fn on_disk(href: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(href.len());
    let mut rest = href.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    let is_safe =
        |href: &String| repo::is_inside(href) && !href.split('/').any(|part| part.ends_with(".part"));
    String::from_utf8(bytes).ok().filter(is_safe).filter(|_| repo::is_inside(href))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_href_is_fetched_where_dnf_fetches_it() {
        assert_eq!(address("http://h/r/", "a/b+c~1%2B.rpm"), "http://h/r/a/b+c~1%2B.rpm");
        assert_eq!(address("http://h/r", "a b#^é.rpm"), "http://h/r/a%20b%23%5E%C3%A9.rpm");
    }

    #[test]
    fn an_href_never_leads_out_of_the_folder() {
        assert_eq!(on_disk("Packages/b%2B.rpm").as_deref(), Some("Packages/b+.rpm"));
        for href in [
            "../x",
            "/etc/passwd",
            "a/%2e%2e/%2e%2e/x",
            "%2fetc/passwd",
            "http://h/x",
            "a.part",
            "%ff",
            "a%00",
        ] {
            assert_eq!(on_disk(href), None, "{href}");
        }
    }
}
