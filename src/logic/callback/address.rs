//! The address of an endpoint, as people may see it.

/// The address without what may be a secret: user, password and query.
#[must_use]
pub fn shown(url: &str) -> String {
    let (address, query) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    let (scheme, rest) = address.split_once("://").unwrap_or(("http", address));
    let host_end = rest.find('/').unwrap_or(rest.len());
    let host_begin = rest[..host_end].rfind('@').map_or(0, |at| at + 1);
    let query = if query.is_empty() { "" } else { "?…" };
    format!("{scheme}://{}{query}", &rest[host_begin..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_shown_without_its_secrets() {
        for (url, expected) in [
            ("http://user-service/cupid", "http://user-service/cupid"),
            ("https://u:p@h:8443/a@b/c", "https://h:8443/a@b/c"),
            ("http://h/cupid?token=t@x/y", "http://h/cupid?…"),
            ("http://u:p@h?token=t", "http://h?…"),
            ("h/cupid", "http://h/cupid"),
            ("", "http://"),
        ] {
            assert_eq!(shown(url), expected, "{url}");
        }
    }
}
