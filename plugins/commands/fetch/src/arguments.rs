//! The arguments.

use std::path::PathBuf;
use std::time::Duration;

use http_exchange::Url;

use crate::request::{Payload, Request};

const USAGE: &str = "usage: fetch [--method METHOD] [--header 'NAME: VALUE']... [--data TEXT | --data-file PATH | --stdin] \
    [--max-redirects N] [--output PATH] [--include] [--timeout SECONDS] URL";

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// The first request.
    pub(crate) request: Request,
    /// How many redirects are followed.
    pub(crate) max_redirects: u32,
    /// Where a good answer's body goes; absent: to standard output.
    pub(crate) output: Option<PathBuf>,
    /// Whether status and header fields are printed.
    pub(crate) include: bool,
}

/// The options as they were written.
#[derive(Default)]
struct Written {
    method: Option<String>,
    headers: Vec<(String, String)>,
    payload: Option<Payload>,
    max_redirects: Option<u32>,
    output: Option<PathBuf>,
    include: bool,
    timeout: Option<Duration>,
    url: Option<Url>,
}

impl Arguments {
    /// Reads the arguments, or says what is wrong with them.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let mut written = Written::default();
        let mut words = words.iter().map(String::as_str);
        let mut only_url = false;
        while let Some(word) = words.next() {
            match word {
                "--" if !only_url => only_url = true,
                option if option.starts_with('-') && !only_url => {
                    written.take(option, &mut words)?
                }
                url => set("URL", &mut written.url, Url::parse(url)?)?,
            }
        }
        written.complete()
    }
}

impl Written {
    fn take<'a>(
        &mut self,
        option: &str,
        words: &mut impl Iterator<Item = &'a str>,
    ) -> Result<(), String> {
        let mut value = || {
            let value = words.next();
            value.ok_or_else(|| format!("{option} needs a value; {USAGE}"))
        };
        match option {
            "--method" => set(option, &mut self.method, method(value()?)?),
            "--header" => {
                self.headers.push(header(value()?)?);
                Ok(())
            }
            "--data" => {
                let text = value()?.to_owned();
                set("a body", &mut self.payload, Payload::Text(text))
            }
            "--data-file" => {
                let path = PathBuf::from(value()?);
                set("a body", &mut self.payload, Payload::File(path))
            }
            "--stdin" => set("a body", &mut self.payload, Payload::Stdin),
            "--max-redirects" => set(option, &mut self.max_redirects, count(value()?)?),
            "--output" => set(option, &mut self.output, PathBuf::from(value()?)),
            "--include" => {
                self.include = true;
                Ok(())
            }
            "--timeout" => set(option, &mut self.timeout, seconds(value()?)?),
            other => Err(format!("{other} is not known; {USAGE}")),
        }
    }

    fn complete(self) -> Result<Arguments, String> {
        let url = self
            .url
            .ok_or_else(|| format!("no URL is given; {USAGE}"))?;
        let default = match &self.payload {
            None => "GET",
            Some(_) => "POST",
        };
        let method = self.method.unwrap_or_else(|| default.to_owned());
        Ok(Arguments {
            request: Request {
                method,
                url,
                headers: self.headers,
                payload: self.payload,
                timeout: self.timeout,
            },
            max_redirects: self.max_redirects.unwrap_or(0),
            output: self.output,
            include: self.include,
        })
    }
}

fn set<T>(what: &str, slot: &mut Option<T>, value: T) -> Result<(), String> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("{what} is given twice; {USAGE}")),
    }
}

/// A method is a token (RFC 9110, section 9.1), written in upper case here: `get` would be another method than `GET`.
fn method(text: &str) -> Result<String, String> {
    let sound = is_token(text) && !text.bytes().any(|byte| byte.is_ascii_lowercase());
    match sound {
        true => Ok(text.to_owned()),
        false => Err(format!("{text:?} is not a method, such as GET or POST")),
    }
}

/// `NAME: VALUE`; the name in lower case, the value without the space around it.
fn header(text: &str) -> Result<(String, String), String> {
    let Some((name, value)) = text.split_once(':') else {
        return Err(format!("{text:?} is not a header field: NAME: VALUE"));
    };
    let name = name.to_ascii_lowercase();
    let value = value.trim_matches([' ', '\t']);
    if !is_token(&name) {
        return Err(format!("{name:?} is not the name of a header field"));
    }
    if value.chars().any(|one| one.is_control() && one != '\t') {
        return Err(format!("the value of {name} has control characters in it"));
    }
    if name == "content-length" {
        return Err("content-length follows from the body; leave it out".to_owned());
    }
    Ok((name, value.to_owned()))
}

fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

fn count(text: &str) -> Result<u32, String> {
    let count = text.parse().ok().filter(|count| *count <= 50);
    count.ok_or_else(|| format!("--max-redirects needs a number from 0 to 50; {USAGE}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let range = Duration::from_millis(1)..=Duration::from_secs(86_400);
    let seconds = seconds.filter(|seconds| range.contains(seconds));
    seconds.ok_or_else(|| format!("--timeout needs seconds from 0.001 to 86400; {USAGE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Arguments::parse(&words)
    }

    #[test]
    fn a_url_alone_is_a_get_that_follows_nothing() {
        let arguments = parse(&["https://h/a#b"]).unwrap();
        assert_eq!(arguments.request.method, "GET");
        assert_eq!(arguments.request.url.to_string(), "https://h/a");
        assert!(arguments.request.headers.is_empty() && arguments.request.payload.is_none());
        assert_eq!((arguments.max_redirects, arguments.include), (0, false));
        assert!(arguments.output.is_none() && arguments.request.timeout.is_none());
    }

    #[test]
    fn options_are_read_in_any_order() {
        let arguments = parse(&[
            "--header",
            "X-One:  1 ",
            "--data",
            "--text",
            "--timeout",
            "1.5",
            "https://h/",
            "--header",
            "x-two:",
            "--max-redirects",
            "3",
            "--include",
            "--output",
            "a/b",
        ])
        .unwrap();
        let headers = [("x-one", "1"), ("x-two", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(arguments.request.headers, headers);
        assert_eq!(arguments.request.method, "POST");
        assert_eq!(
            arguments.request.payload,
            Some(Payload::Text("--text".to_owned()))
        );
        assert_eq!(arguments.request.timeout, Some(Duration::from_millis(1500)));
        assert_eq!(arguments.output, Some(PathBuf::from("a/b")));
        assert_eq!((arguments.max_redirects, arguments.include), (3, true));
    }

    #[test]
    fn a_method_overrules_what_a_body_suggests() {
        let put = parse(&["--method", "PUT", "--data-file", "f", "http://h/"]).unwrap();
        assert_eq!(put.request.method, "PUT");
        assert_eq!(put.request.payload, Some(Payload::File(PathBuf::from("f"))));
        let post = parse(&["--stdin", "http://h/"]).unwrap();
        assert_eq!(
            (post.request.method.as_str(), post.request.payload),
            ("POST", Some(Payload::Stdin))
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (words, reason) in [
            (&["--include"][..], "no URL"),
            (&["https://h/", "https://h/"], "twice"),
            (&["--", "--include"], "not a URL"),
            (&["ftp://h/"], "neither"),
            (&["--url", "https://h/"], "--url"),
            (&["https://h/", "--method"], "needs a value"),
            (&["--method", "get", "https://h/"], "not a method"),
            (&["--method", "", "https://h/"], "not a method"),
            (&["--method", "GET /", "https://h/"], "not a method"),
            (&["--header", "name", "https://h/"], "NAME: VALUE"),
            (&["--header", ": x", "https://h/"], "name of a header"),
            (&["--header", "a b: x", "https://h/"], "name of a header"),
            (&["--header", "a: x\r\nb: y", "https://h/"], "control"),
            (
                &["--header", "Content-Length: 1", "https://h/"],
                "leave it out",
            ),
            (&["--data", "x", "--stdin", "https://h/"], "twice"),
            (&["--max-redirects", "51", "https://h/"], "0 to 50"),
            (&["--max-redirects", "-1", "https://h/"], "0 to 50"),
            (&["--timeout", "0", "https://h/"], "0.001"),
            (&["--timeout", "NaN", "https://h/"], "0.001"),
            (&["--timeout", "1e300", "https://h/"], "0.001"),
            (&["--output", "a", "--output", "b", "https://h/"], "twice"),
        ] {
            let said = parse(words).err().unwrap_or_default();
            assert!(said.contains(reason), "{words:?}: {said}");
        }
    }
}
