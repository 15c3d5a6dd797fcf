//! URLs of HTTP.

use std::fmt;

use fluent_uri::{Uri, UriRef};

/// An absolute URL with the scheme `http` or `https` and a host, without user, password and fragment (RFC 3986).
///
/// Its parts are as they were written: the host is neither looked up nor brought into another form, and the path may hold dot segments.
#[derive(Clone, Debug)]
pub struct Url {
    uri: Uri<String>,
    secure: bool,
}

impl Url {
    /// Reads a URL; a fragment is cut off, since it is never sent.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("{text:?} {why}"));
        let Ok(uri) = Uri::parse(text) else {
            return wrong(
                "is not a URL: scheme, host and path are needed, and other characters percent-encoded",
            );
        };
        let secure = match uri.scheme().as_str().to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return wrong("is neither an https nor an http URL"),
        };
        let Some(authority) = uri.authority().filter(|part| !part.host().is_empty()) else {
            return wrong("names no host");
        };
        if authority.has_userinfo() {
            return wrong("has a user in it; such things go into a header");
        }
        if !matches!(authority.port_to_u16(), Ok(port) if port != Some(0)) {
            return wrong("has a port that is no number from 1 to 65535");
        }
        Ok(Self {
            uri: uri.strip_fragment().to_owned(),
            secure,
        })
    }

    /// What a `Location` header, or any other reference, means when it came from here (RFC 3986, section 5). Bytes outside of ASCII
    /// are percent-encoded first, since many servers forget to.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn join(&self, reference: &[u8]) -> Result<Self, String> {
        let reference = ascii(reference);
        let Ok(parsed) = UriRef::parse(reference.as_str()) else {
            return Err(format!("{reference:?} is not a reference to a URL"));
        };
        match parsed.resolve_against(&self.uri) {
            Ok(uri) => Self::parse(uri.as_str()),
            Err(_) => Err(format!("{reference:?} leads nowhere from {self}")),
        }
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// Whether the scheme is `https`.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Host, and port if one is written.
    pub fn authority(&self) -> &str {
        self.uri.authority().map_or("", |part| part.as_str())
    }

    /// The host in lower case; an IPv6 address in brackets.
    pub fn host(&self) -> String {
        let host = self.uri.authority().map_or("", |part| part.host());
        host.to_ascii_lowercase()
    }

    /// The port; that of the scheme where none is written.
    pub fn port(&self) -> u16 {
        let written = self.uri.authority().and_then(|part| {
            let port = part.port_to_u16();
            port.ok().flatten()
        });
        written.unwrap_or(if self.secure { 443 } else { 80 })
    }

    /// The path, never empty, without the query.
    pub fn path(&self) -> &str {
        match self.uri.path().as_str() {
            "" => "/",
            path => path,
        }
    }

    /// Path and query, as they stand in a request.
    pub fn target(&self) -> String {
        match self.uri.query() {
            Some(query) => format!("{}?{}", self.path(), query.as_str()),
            None => self.path().to_owned(),
        }
    }

    /// Whether both have the same scheme, host and port.
    pub fn has_origin_of(&self, other: &Self) -> bool {
        (self.secure, self.port(), self.host()) == (other.secure, other.port(), other.host())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.uri.as_str())
    }
}

fn ascii(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            0..=0x7f => text.push(char::from(*byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn the_parts_of_a_url_are_found() {
        let it = url("HTTPS://API.Example.com:8443/v1/a?b=c&d#part");
        assert_eq!(it.scheme(), "https");
        assert_eq!(it.authority(), "API.Example.com:8443");
        assert_eq!(it.host(), "api.example.com");
        assert_eq!(it.port(), 8443);
        assert_eq!(it.target(), "/v1/a?b=c&d");
        assert_eq!(it.to_string(), "HTTPS://API.Example.com:8443/v1/a?b=c&d");
        assert_eq!(url("http://h").target(), "/");
        assert_eq!(url("http://h?q").target(), "/?q");
        assert_eq!(
            (url("http://h:").port(), url("https://h").port()),
            (80, 443)
        );
        assert_eq!(url("http://[::1]:1/").host(), "[::1]");
    }

    #[test]
    fn what_is_no_url_of_http_is_refused() {
        for (text, word) in [
            ("", "not a URL"),
            ("/a", "not a URL"),
            ("example.com", "not a URL"),
            ("https://h/a b", "not a URL"),
            ("https://h/a\\b", "not a URL"),
            ("https://h/\r\nx", "not a URL"),
            ("https://h/%zz", "not a URL"),
            ("https://h/ä", "not a URL"),
            ("ftp://h/", "neither"),
            ("example.com:80/", "neither"),
            ("https:///a", "no host"),
            ("https:/a", "no host"),
            ("https://me:secret@h/", "user"),
            ("https://@h/", "user"),
            ("https://h:0/", "port"),
            ("https://h:65536/", "port"),
        ] {
            let reason = Url::parse(text).err().unwrap_or_default();
            assert!(reason.contains(word), "{text}: {reason}");
        }
    }

    #[test]
    fn references_are_resolved_as_the_rfc_says() {
        // The examples of RFC 3986, sections 5.4.1 and 5.4.2, as far as they have to do with HTTP.
        let base = url("http://a/b/c/d;p?q");
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
        ] {
            let got = base
                .join(reference.as_bytes())
                .map(|joined| joined.to_string());
            assert_eq!(got.as_deref(), Ok(expected), "{reference}");
        }
    }

    #[test]
    fn references_that_lead_out_of_http_are_refused() {
        let base = url("https://a/b");
        for reference in [
            "ftp://a/",
            "file:///etc/passwd",
            "https://me@a/",
            "//",
            "a b",
            "\r\nx: y",
        ] {
            assert!(base.join(reference.as_bytes()).is_err(), "{reference}");
        }
        let joined = base.join("ü?ä".as_bytes()).unwrap();
        assert_eq!(joined.target(), "/%C3%BC?%C3%A4");
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let one = url("https://a.example/x");
        assert!(one.has_origin_of(&url("https://A.EXAMPLE:443/y?z")));
        for other in [
            "http://a.example/x",
            "https://b.example/x",
            "https://a.example:444/x",
        ] {
            assert!(!one.has_origin_of(&url(other)), "{other}");
        }
        // Nothing is guessed from the port.
        assert!(!url("http://a:443/").has_origin_of(&url("https://a/")));
    }
}
