//! Requests, and what becomes of one when the answer leads elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use http_exchange::Url;

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: Url,
    /// Names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) payload: Option<Payload>,
    /// For the connection, for the first byte, and between two parts of the body.
    pub(crate) timeout: Option<Duration>,
}

/// What a request carries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Payload {
    Text(String),
    File(PathBuf),
    Stdin,
}

/// What may be told to a host other than the one it was meant for. Any other field may hold a key or a password.
const HARMLESS: [&str; 7] = [
    "accept",
    "accept-language",
    "content-encoding",
    "content-language",
    "content-type",
    "range",
    "user-agent",
];

impl Request {
    /// The request that follows when the answer has this status and this `location`; nothing when the status redirects nowhere
    /// (RFC 9110, section 15.4).
    ///
    /// # Errors
    /// A sentence that says why it cannot be followed.
    pub(crate) fn redirected(&self, status: u16, location: &[u8]) -> Result<Option<Self>, String> {
        if !redirects(status) {
            return Ok(None);
        }
        let url = self.url.join(location)?;
        if self.url.is_secure() && !url.is_secure() {
            return Err(format!("{} leads from https to {url}", self.url));
        }
        let mut next = self.clone();
        let becomes_get = match status {
            303 => self.method != "HEAD",
            301 | 302 => self.method == "POST",
            _ => false,
        };
        if becomes_get {
            next.method = "GET".to_owned();
            next.payload = None;
            next.headers
                .retain(|(name, _)| !name.starts_with("content-"));
        }
        if next.payload == Some(Payload::Stdin) {
            return Err(format!(
                "{} redirects to {url}, and standard input cannot be sent twice",
                self.url
            ));
        }
        if !url.has_origin_of(&self.url) {
            next.headers
                .retain(|(name, _)| HARMLESS.contains(&name.as_str()));
        }
        next.url = url;
        Ok(Some(next))
    }
}

/// Whether a status asks to go elsewhere.
pub(crate) fn redirects(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, payload: Option<Payload>) -> Request {
        let headers = ["accept", "authorization", "content-type", "x-key"];
        Request {
            method: method.to_owned(),
            url: Url::parse("https://a/b/c").unwrap(),
            headers: headers
                .map(|name| (name.to_owned(), "v".to_owned()))
                .to_vec(),
            payload,
            timeout: None,
        }
    }

    fn names(request: &Request) -> Vec<&str> {
        request
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect()
    }

    #[test]
    fn only_statuses_that_say_so_redirect() {
        for status in [200, 204, 300, 304, 305, 306, 400, 500] {
            let next = request("GET", None).redirected(status, b"/x").unwrap();
            assert!(next.is_none(), "{status}");
        }
        for status in [301, 302, 303, 307, 308] {
            let next = request("GET", None)
                .redirected(status, b"d?e#f")
                .unwrap()
                .unwrap();
            assert_eq!(next.url.to_string(), "https://a/b/d?e", "{status}");
            assert_eq!(next.method, "GET", "{status}");
            // What follows a 303 has no body in any case.
            let kept = if status == 303 { 3 } else { 4 };
            assert_eq!(names(&next).len(), kept, "{status}");
        }
    }

    #[test]
    fn methods_and_bodies_are_kept_or_dropped_as_the_status_says() {
        let text = || Some(Payload::Text("t".to_owned()));
        for (method, status, then) in [
            ("POST", 301, "GET"),
            ("POST", 302, "GET"),
            ("POST", 303, "GET"),
            ("PUT", 303, "GET"),
            ("PUT", 302, "PUT"),
            ("POST", 307, "POST"),
            ("POST", 308, "POST"),
            ("DELETE", 307, "DELETE"),
        ] {
            let next = request(method, text())
                .redirected(status, b"/x")
                .unwrap()
                .unwrap();
            assert_eq!(next.method, then, "{method} {status}");
            let kept = then != "GET";
            assert_eq!(next.payload.is_some(), kept, "{method} {status}");
            assert_eq!(
                names(&next).contains(&"content-type"),
                kept,
                "{method} {status}"
            );
        }
        let head = request("HEAD", None)
            .redirected(303, b"/x")
            .unwrap()
            .unwrap();
        assert_eq!(head.method, "HEAD");
    }

    #[test]
    fn another_host_does_not_hear_what_was_meant_for_the_first() {
        for location in ["https://b/", "//b/", "https://a:444/"] {
            let next = request("GET", None)
                .redirected(302, location.as_bytes())
                .unwrap()
                .unwrap();
            assert_eq!(names(&next), ["accept", "content-type"], "{location}");
        }
        let same = request("GET", None)
            .redirected(302, b"https://A:443/z")
            .unwrap()
            .unwrap();
        assert_eq!(names(&same).len(), 4);
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        for (payload, status, location, word) in [
            (None, 302, "http://a/", "from https"),
            (None, 302, "ftp://a/", "neither"),
            (None, 302, "https://me:pw@a/", "user"),
            (None, 302, "https://a/\r\nb", "not a reference"),
            (Some(Payload::Stdin), 307, "/x", "twice"),
        ] {
            let refused = request("POST", payload).redirected(status, location.as_bytes());
            let reason = refused.err().unwrap_or_default();
            assert!(reason.contains(word), "{location}: {reason}");
        }
        // Its twin: what is not sent again does not matter.
        let next = request("POST", Some(Payload::Stdin))
            .redirected(303, b"/x")
            .unwrap()
            .unwrap();
        assert_eq!((next.method.as_str(), next.payload), ("GET", None));
    }
}
