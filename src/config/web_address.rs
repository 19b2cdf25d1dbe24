//! Addresses of HTTP.

use url::Url;

/// The address as it can be sent: without a scheme it begins with `http://`, a host in letters of
/// any script becomes Punycode, a path is percent-encoded, and what follows a `#` is dropped.
///
/// # Errors
/// What is wrong, as the rest of a sentence about the key, without the address itself.
pub(super) fn parse(text: &str) -> Result<Url, String> {
    if text.is_empty() {
        return Err("holds an empty text".into());
    }
    let whole = match scheme(text) {
        Some(scheme)
            if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") =>
        {
            text.to_owned()
        }
        Some(_) => return Err("holds an address of another scheme than http and https".into()),
        None => format!("http://{}", text.strip_prefix("//").unwrap_or(text)),
    };
    // The crate would take `http:///path` for the host `path`.
    let rest = whole.split_once("://").map_or("", |(_, rest)| rest);
    if rest.is_empty() || rest.starts_with(['/', '?', '#', ':', '\\']) {
        return Err("holds an address without a host".into());
    }
    let mut url =
        Url::parse(&whole).map_err(|error| format!("holds no usable address: {error}"))?;
    if url.port() == Some(0) {
        return Err("holds an address with port 0".into());
    }
    // Never part of a request.
    url.set_fragment(None);
    Ok(url)
}

/// What stands before `://`.
pub(super) fn scheme(text: &str) -> Option<&str> {
    text.split_once("://")
        .map(|(scheme, _)| scheme)
        .filter(|scheme| !scheme.contains(['/', '?', '#', '.', ':', '@']))
}
