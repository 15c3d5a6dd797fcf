//! Whole runs against a network that answers from a list.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use crate::arguments::Arguments;
use crate::request::Request;
use crate::transfer::{Answer, Body, Ending, Network, run};

/// What is answered: status, header fields, pieces of the body. A piece that is absent is where it breaks off.
type Scripted = (
    u16,
    &'static [(&'static str, &'static str)],
    &'static [Option<&'static str>],
);

struct Script {
    answers: VecDeque<Scripted>,
    asked: Vec<String>,
}

impl Network for Script {
    fn send(&mut self, request: &Request) -> Result<Answer, String> {
        let names: Vec<&str> = request
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        self.asked.push(format!(
            "{} {} {}",
            request.method,
            request.url,
            names.join(",")
        ));
        let Some((status, headers, body)) = self.answers.pop_front() else {
            return Err("nobody answers".to_owned());
        };
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Ok(Answer {
            status,
            headers: headers.iter().map(owned).collect(),
            body: Box::new(Pieces(body.iter().copied().collect())),
        })
    }
}

struct Pieces(VecDeque<Option<&'static str>>);

impl Body for Pieces {
    fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        match self.0.pop_front() {
            None => Ok(None),
            Some(Some(text)) => Ok(Some(text.as_bytes().to_vec())),
            Some(None) => Err("it broke off".to_owned()),
        }
    }
}

struct Done {
    ending: Result<Ending, String>,
    out: String,
    asked: Vec<String>,
}

impl Done {
    fn status(&self) -> Option<u16> {
        self.ending.as_ref().ok().map(|ending| ending.status)
    }

    fn reason(&self) -> &str {
        self.ending.as_ref().err().map_or("", String::as_str)
    }
}

fn fetch(root: &Path, words: &str, answers: &[Scripted]) -> Done {
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let mut script = Script {
        answers: answers.iter().copied().collect(),
        asked: Vec::new(),
    };
    let mut out = Vec::new();
    let ending = run(
        root,
        &Arguments::parse(&words).unwrap(),
        &mut script,
        &mut out,
    );
    Done {
        ending,
        out: String::from_utf8(out).unwrap(),
        asked: script.asked,
    }
}

const HERE: &str = ".";
const MOVED: Scripted = (302, &[("Location", "/b")], &[Some("moved")]);
const GOOD: Scripted = (
    200,
    &[("x-one", "1"), ("x-two", "")],
    &[Some("a"), Some("b\n")],
);

#[test]
fn the_body_is_printed_whatever_the_status() {
    let good = fetch(HERE.as_ref(), "https://h/a", &[GOOD]);
    assert_eq!((good.status(), good.out.as_str()), (Some(200), "ab\n"));
    assert!(good.ending.unwrap().is_good());
    let missing = fetch(HERE.as_ref(), "https://h/a", &[(404, &[], &[Some("no")])]);
    assert_eq!((missing.status(), missing.out.as_str()), (Some(404), "no"));
    assert!(!missing.ending.unwrap().is_good());
}

#[test]
fn the_head_comes_first_when_it_is_asked_for() {
    let done = fetch(
        HERE.as_ref(),
        "--include --max-redirects 1 https://h/a",
        &[MOVED, GOOD],
    );
    assert_eq!(
        done.out,
        "HTTP 302\nLocation: /b\n\nHTTP 200\nx-one: 1\nx-two: \n\nab\n"
    );
}

#[test]
fn redirects_are_followed_only_as_far_as_was_said() {
    let not = fetch(HERE.as_ref(), "https://h/a", &[MOVED, GOOD]);
    assert_eq!(
        (not.status(), not.out.as_str(), not.asked.len()),
        (Some(302), "moved", 1)
    );
    assert_eq!(not.ending.unwrap().elsewhere.as_deref(), Some("/b"));

    let once = fetch(
        HERE.as_ref(),
        "--max-redirects 1 https://h/a",
        &[MOVED, GOOD],
    );
    assert_eq!((once.status(), once.out.as_str()), (Some(200), "ab\n"));
    assert_eq!(once.asked, ["GET https://h/a ", "GET https://h/b "]);

    let often = fetch(
        HERE.as_ref(),
        "--max-redirects 2 https://h/a",
        &[MOVED, MOVED, MOVED],
    );
    assert_eq!(often.asked.len(), 3);
    assert!(
        often.reason().contains("after 2 redirects"),
        "{}",
        often.reason()
    );
    assert_eq!(often.out, "");
}

#[test]
fn each_redirect_is_a_request_of_its_own() {
    let elsewhere: Scripted = (307, &[("location", "https://other/x")], &[]);
    let words = "--header authorization:k --header accept:v --data d --max-redirects 5 https://h/a";
    let done = fetch(HERE.as_ref(), words, &[elsewhere, MOVED, GOOD]);
    assert_eq!(
        done.asked,
        [
            "POST https://h/a authorization,accept",
            "POST https://other/x accept",
            "GET https://other/b accept"
        ]
    );
}

#[test]
fn redirects_to_nowhere_and_to_two_places_are_not_followed() {
    let nowhere = fetch(
        HERE.as_ref(),
        "--max-redirects 1 https://h/a",
        &[(302, &[], &[])],
    );
    assert_eq!(nowhere.status(), Some(302));
    let two: Scripted = (302, &[("location", "/a"), ("Location", "/b")], &[]);
    let done = fetch(HERE.as_ref(), "--max-redirects 1 https://h/a", &[two, GOOD]);
    assert!(done.reason().contains("more than one"), "{}", done.reason());
    let down: Scripted = (301, &[("location", "http://h/a")], &[]);
    let done = fetch(
        HERE.as_ref(),
        "--max-redirects 1 https://h/a",
        &[down, GOOD],
    );
    assert!(done.reason().contains("from https"), "{}", done.reason());
}

#[test]
fn a_file_gets_the_whole_body_of_a_good_answer_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    let words = "--output f https://h/a";

    let good = fetch(folder.path(), words, &[GOOD]);
    assert_eq!((good.status(), good.out.as_str()), (Some(200), ""));
    assert_eq!(fs::read_to_string(&file).unwrap(), "ab\n");

    // Another status does not touch the file.
    let missing = fetch(folder.path(), words, &[(404, &[], &[Some("no")])]);
    assert_eq!((missing.status(), missing.out.as_str()), (Some(404), "no"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "ab\n");

    let broken = fetch(folder.path(), words, &[(200, &[], &[Some("a"), None])]);
    assert_eq!(broken.reason(), "it broke off");
    assert!(!file.exists());
}

#[test]
fn what_cannot_be_sent_or_written_is_said() {
    assert_eq!(
        fetch(HERE.as_ref(), "https://h/a", &[]).reason(),
        "nobody answers"
    );
    let folder = tempfile::tempdir().unwrap();
    let done = fetch(folder.path(), "--output no/f https://h/a", &[GOOD]);
    assert!(done.reason().starts_with("no/f: "), "{}", done.reason());
}

#[test]
fn the_manifest_is_well_formed() {
    let manifest = leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
    let exit = manifest.exit.unwrap();
    assert_eq!((exit.pass, exit.fail), (vec![0], vec![crate::OTHER_STATUS]));
}
