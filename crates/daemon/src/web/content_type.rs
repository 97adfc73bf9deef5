//! Which content type a file is sent with, by its name alone.

/// Returns the `Content-Type` for a file name.
///
/// Compressed metadata is sent as what it is and never with a `Content-Encoding`: yum and dnf check
/// the checksum of the compressed bytes, and a client that unpacked them on the way would fail.
pub(crate) fn of(name: &str) -> &'static str {
    if name.starts_with("RPM-GPG-KEY") || name == "generation" {
        return "text/plain; charset=utf-8";
    }
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "rpm" => "application/x-rpm",
        "xml" => "text/xml",
        "gz" => "application/gzip",
        "zst" => "application/zstd",
        "xz" => "application/x-xz",
        "bz2" => "application/x-bzip2",
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "metalink" | "meta4" => "application/metalink4+xml",
        "repo" | "txt" | "md" | "asc" | "key" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_yum_and_people_fetch_has_its_type() {
        for (name, expected) in [
            ("voms-1-1.x86_64.rpm", "application/x-rpm"),
            ("repomd.xml", "text/xml"),
            ("repomd.xml.asc", "text/plain; charset=utf-8"),
            ("ab-primary.xml.gz", "application/gzip"),
            ("glite-production.repo", "text/plain; charset=utf-8"),
            ("RPM-GPG-KEY-glite", "text/plain; charset=utf-8"),
            ("index.html", "text/html; charset=utf-8"),
            ("generation", "text/plain; charset=utf-8"),
            ("unknown", "application/octet-stream"),
        ] {
            assert_eq!(super::of(name), expected, "{name}");
        }
    }
}
