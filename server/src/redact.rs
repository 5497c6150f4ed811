//! Addresses of services as they may be shown: host and database, no secret.

/// Shown instead of a secret.
pub(crate) const HIDDEN: &str = "[redacted]";

/// The address with its password hidden, in all positions where it can contain one.
pub fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return HIDDEN.to_owned() };
    // A password may contain an `@`, a `/` or a `?` that is not encoded.
    let (login, rest) = rest.rsplit_once('@').map_or((None, rest), |(login, rest)| (Some(login), rest));
    let login = login.map(|login| match login.split_once(':') {
        // Or the `@` belongs to the query.
        _ if login.contains('?') => format!("{HIDDEN}@"),
        Some((user, _)) => format!("{user}:{HIDDEN}@"),
        None => format!("{login}@"),
    });
    let (host, query) = match rest.split_once('?') {
        Some((host, query)) => (host, Some(query)),
        None => (rest, None),
    };
    let query = query.map(|query| {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((key, _)) if key.to_ascii_lowercase().contains("pass") => format!("{key}={HIDDEN}"),
            _ => pair.to_owned(),
        });
        format!("?{}", pairs.collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{}{host}{}", login.unwrap_or_default(), query.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hidden_and_the_rest_is_shown() {
        for (url, shown) in [
            ("redis://localhost:6379/2", "redis://localhost:6379/2"),
            ("redis://ann:s3cret@h:1/2", "redis://ann:[redacted]@h:1/2"),
            ("redis://:s3cret@h", "redis://:[redacted]@h"),
            ("postgres://ann@h/tickhall?sslmode=require", "postgres://ann@h/tickhall?sslmode=require"),
            (
                "postgres://a:b@h/d?Password=s3cret&host=/run",
                "postgres://a:[redacted]@h/d?Password=[redacted]&host=/run",
            ),
            ("redis+unix:///run/r.sock?db=1&pass=s3cret", "redis+unix:///run/r.sock?db=1&pass=[redacted]"),
            ("postgres://a:p@ss/w:ord@h/d", "postgres://a:[redacted]@h/d"),
            ("postgres://a:p?s3cret@h/d", "postgres://[redacted]@h/d"),
            ("postgres://h/d?password=s3cret&user=a@b", "postgres://[redacted]@b"),
            ("s3cret", "[redacted]"),
        ] {
            assert_eq!(redact_url(url), shown);
        }
    }
}
