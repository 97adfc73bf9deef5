//! A directory as a small page, for people who look around.

use super::address::{Address, encode};
use super::tree::Listing;

/// Renders a listing; every name is escaped, every link relative.
pub(crate) fn page(address: &Address, listing: &Listing) -> String {
    let title = escape(&format!("{}/", address.encoded()));
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title>\n\
         <style>body{{font:1rem/1.5 sans-serif;margin:2rem}}td{{padding-right:2rem}}td+td{{text-align:right}}</style>\n\
         </head>\n<body>\n<h1>{title}</h1>\n<table>\n"
    );
    if !address.encoded().is_empty() {
        html.push_str("<tr><td><a href=\"../\">../</a></td><td></td></tr>\n");
    }
    for entry in &listing.entries {
        let slash = if entry.size.is_none() { "/" } else { "" };
        let size = entry.size.map(|size| size.to_string()).unwrap_or_default();
        // `./` keeps a name with a colon from being read as a scheme.
        html.push_str(&format!(
            "<tr><td><a href=\"./{}{slash}\">{}{slash}</a></td><td>{size}</td></tr>\n",
            encode(&entry.name),
            escape(&entry.name),
        ));
    }
    html.push_str("</table>\n");
    if listing.omitted > 0 {
        html.push_str(&format!("<p>and {} more</p>\n", listing.omitted));
    }
    html.push_str("</body>\n</html>\n");
    html
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::tree::Entry;

    #[test]
    fn names_cannot_become_markup() {
        let listing = Listing {
            entries: vec![
                Entry { name: "<script>".into(), size: Some(7) },
                Entry { name: "javascript:x\"y".into(), size: None },
            ],
            omitted: 3,
        };
        let html = page(&Address::parse("/@1/'a'/").unwrap(), &listing);
        assert!(html.contains("<a href=\"./%3Cscript%3E\">&lt;script&gt;</a></td><td>7</td>"), "{html}");
        assert!(html.contains("<a href=\"./javascript%3Ax%22y/\">javascript:x&quot;y/</a>"), "{html}");
        assert!(html.contains("<h1>/@1/%27a%27/</h1>"), "{html}");
        assert!(html.contains("and 3 more"), "{html}");
    }
}
