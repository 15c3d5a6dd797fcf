//! The only place that prints. Data goes to standard output, talk to standard error.
//!
//! Every line passes through [`visible`], so no text of a plugin, a file name or a lease can move the cursor, colour the screen
//! or pretend to be a line of ours. Only [`Ui::raw`] and, where no terminal is, [`Ui::foreign`] let bytes through as they are. Colour is used on terminals only, never
//! with `NO_COLOR` set, and never is the only carrier of a meaning.

mod progress;
mod stream;

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;

use clap::ValueEnum;
use leasehold_seal::Class;
use serde::Serialize;
use serde_json::json;

use crate::exit;
use crate::failure::Failure;
use crate::text::{clip, visible, visible_json, visible_lines};

pub(crate) use progress::Progress;
use stream::{Sink, Stream};

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: JSON on standard output, also for errors, and nothing on standard error.
    Json,
}

/// How a piece of text looks on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Warn,
}

impl Style {
    fn codes(self) -> (&'static str, &'static str) {
        match self {
            Style::Plain => ("", ""),
            Style::Bold => ("\x1b[1m", "\x1b[0m"),
            Style::Dim => ("\x1b[2m", "\x1b[0m"),
            Style::Good => ("\x1b[1;32m", "\x1b[0m"),
            Style::Bad => ("\x1b[1;31m", "\x1b[0m"),
            Style::Warn => ("\x1b[1;33m", "\x1b[0m"),
        }
    }
}

/// One line, in pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Vec<(Style, String)>);

impl Line {
    /// A line that begins with this piece.
    pub(crate) fn styled(style: Style, text: impl Into<String>) -> Self {
        Line(vec![(style, text.into())])
    }

    /// The same line with one more piece.
    pub(crate) fn then(mut self, style: Style, text: impl Into<String>) -> Self {
        self.0.push((style, text.into()));
        self
    }

    /// The same line with more plain text.
    pub(crate) fn plain(self, text: impl Into<String>) -> Self {
        self.then(Style::Plain, text)
    }
}

impl<T: Into<String>> From<T> for Line {
    fn from(text: T) -> Self {
        Line::styled(Style::Plain, text)
    }
}

/// What the commands print with.
pub(crate) struct Ui {
    format: Format,
    out: Stream,
    err: Stream,
}

impl Ui {
    /// Prints to this process's streams. `colour`: whether colour is wanted where there is a terminal.
    pub(crate) fn standard(format: Format, colour: bool) -> Self {
        let out = io::stdout().is_terminal();
        let err = io::stderr().is_terminal();
        Ui {
            format,
            out: Stream::new(Sink::Stdout, out, out && colour),
            err: Stream::new(Sink::Stderr, err, err && colour),
        }
    }

    /// Keeps what is printed: data in the first buffer, talk in the second.
    pub(crate) fn kept(
        format: Format,
        out: Rc<RefCell<Vec<u8>>>,
        err: Rc<RefCell<Vec<u8>>>,
    ) -> Self {
        Ui {
            format,
            out: Stream::new(Sink::Kept(out), false, false),
            err: Stream::new(Sink::Kept(err), false, false),
        }
    }

    /// Whether results are written for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// One line of data, for people.
    pub(crate) fn data(&self, line: impl Into<Line>) {
        if !self.is_json() {
            self.out.line(&line.into());
        }
    }

    /// One line of talk, for people.
    pub(crate) fn talk(&self, line: impl Into<Line>) {
        if !self.is_json() {
            self.err.line(&line.into());
        }
    }

    /// A bar for something of so many steps; on a terminal and for people only.
    pub(crate) fn progress(&self, steps: u64) -> Progress {
        Progress::new(steps, self.shows_progress())
    }

    /// Whether [`Ui::progress`] shows anything.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.is_json() && self.err.is_terminal()
    }

    /// The result, for programs: one JSON document.
    pub(crate) fn json(&self, value: &impl Serialize) {
        if !self.is_json() {
            return;
        }
        match serde_json::to_string_pretty(value) {
            Ok(text) => {
                self.out.write(visible_json(&text).as_bytes());
                self.out.write(b"\n");
            }
            Err(_) => self.out.lost.set(true),
        }
    }

    /// Bytes as data, as they are. Not for a terminal, unless they are known to be harmless.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        self.out.write(bytes);
    }

    /// A plugin's bytes as data: as they are for a pipe or a file, made harmless for a terminal.
    pub(crate) fn foreign(&self, bytes: &[u8]) {
        self.out.foreign(bytes);
    }

    /// A plugin's bytes as talk: always made harmless, since they stand between lines of ours, and their last line ended.
    pub(crate) fn foreign_talk(&self, bytes: &[u8]) {
        self.err
            .write(visible_lines(&String::from_utf8_lossy(bytes)).as_bytes());
        if !bytes.ends_with(b"\n") {
            self.err.write(b"\n");
        }
    }

    /// A failure: as talk for people, as the one document for programs.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.is_json() {
            // On one line, because it may follow lines of JSON.
            let text = json!({ "error": failure_json(failure) }).to_string();
            self.out.write(visible_json(&text).as_bytes());
            self.out.write(b"\n");
        } else {
            self.complaint("error", Style::Bad, failure);
        }
    }

    /// Something that did not keep the command from doing its work.
    pub(crate) fn warning(&self, failure: &Failure) {
        if !self.is_json() {
            self.complaint("warning", Style::Warn, failure);
        }
    }

    /// The exit code, given what could not be printed: lost data is not a success.
    pub(crate) fn finish(&self, code: u8) -> u8 {
        self.out.flush();
        self.err.flush();
        if !self.out.lost.get() {
            return code;
        }
        let sentence = "standard output could not be written, so part of the result is lost";
        let failure = Failure::new("OUTPUT-LOST", Class::Fault, sentence)
            .hint("what was called is on the tape all the same: `leasehold tape show`");
        self.complaint("error", Style::Bad, &failure);
        exit::worse(code, exit::FAULT)
    }

    /// Something to know that changed nothing.
    pub(crate) fn note(&self, failure: &Failure) {
        if !self.is_json() {
            self.complaint("note", Style::Dim, failure);
        }
    }

    fn complaint(&self, word: &str, style: Style, failure: &Failure) {
        self.err.line(
            &Line::styled(style, format!("{word}[{}]", failure.code))
                .then(Style::Bold, format!(": {}", clip(&failure.sentence, 1_000))),
        );
        for detail in &failure.details {
            self.err.line(&format!("  {detail}").into());
        }
        if let Some(hint) = &failure.hint {
            self.err
                .line(&Line::styled(Style::Dim, "  hint: ").plain(hint.as_str()));
        }
    }
}

/// A line on standard error from where there is no [`Ui`]: the compiling child, and a panic.
pub(crate) fn last_words(sentence: &str) {
    // If nobody hears it there is nothing left to do.
    let _ = writeln!(io::stderr().lock(), "{}", visible(sentence));
}

/// A failure for programs.
fn failure_json(failure: &Failure) -> serde_json::Value {
    json!({
        "code": failure.code,
        "details": failure.details,
        "exit": exit::of(failure.class),
        "hint": failure.hint,
        "sentence": failure.sentence,
    })
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    fn printed(format: Format, print: impl Fn(&Ui)) -> (String, String) {
        let (out, err) = (Rc::default(), Rc::default());
        print(&Ui::kept(format, Rc::clone(&out), Rc::clone(&err)));
        let text = |buffer: &RefCell<Vec<u8>>| String::from_utf8(buffer.borrow().clone()).unwrap();
        (text(&out), text(&err))
    }

    fn denied() -> Failure {
        Failure::new(
            "PATH-DENIED",
            Class::Refused,
            "evil\u{1b}[2J wanted to read a\nb",
        )
        .detail("grant \"x\" has docs/**")
        .hint("add it")
    }

    #[test]
    fn a_failure_reads_as_documented_and_stays_on_its_lines() {
        let (out, err) = printed(Format::Text, |ui| ui.failure(&denied()));
        assert_eq!(out, "");
        assert_eq!(
            err,
            "error[PATH-DENIED]: evil\\u{1b}[2J wanted to read a\\nb\n  grant \"x\" has docs/**\n  hint: add it\n"
        );
    }

    #[test]
    fn programs_get_one_document_and_no_talk() {
        let (out, err) = printed(Format::Json, |ui| {
            ui.talk("hello");
            ui.data("hello");
            ui.failure(&denied());
        });
        assert_eq!(err, "");
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(document["error"]["code"], "PATH-DENIED");
        assert_eq!(document["error"]["exit"], 3);
    }

    #[test]
    fn colour_surrounds_the_text_and_is_not_part_of_it() {
        let stream = |colour| {
            let kept: Rc<RefCell<Vec<u8>>> = Rc::default();
            Stream::new(Sink::Kept(Rc::clone(&kept)), true, colour)
                .line(&Line::styled(Style::Bad, "fail").plain(" x"));
            String::from_utf8(kept.borrow().clone()).unwrap()
        };
        assert_eq!(stream(false), "fail x\n");
        assert_eq!(stream(true), "\x1b[1;31mfail\x1b[0m x\n");
    }

    #[test]
    fn a_plugins_bytes_are_made_harmless_for_a_terminal_only() {
        let written = |terminal| {
            let kept: Rc<RefCell<Vec<u8>>> = Rc::default();
            Stream::new(Sink::Kept(Rc::clone(&kept)), terminal, false).foreign(b"a\n\x1b[2J\xff");
            kept.borrow().clone()
        };
        assert_eq!(written(false), b"a\n\x1b[2J\xff");
        assert_eq!(written(true), "a\n\\u{1b}[2J\u{fffd}".as_bytes());
    }

    #[test]
    fn lost_data_is_no_success() {
        let ui = Ui::kept(Format::Text, Rc::default(), Rc::default());
        assert_eq!(ui.finish(exit::PASSED), exit::PASSED);
        ui.out.note(Err(io::Error::from(ErrorKind::BrokenPipe)));
        assert_eq!(ui.finish(exit::PASSED), exit::PASSED);
        ui.out.note(Err(io::Error::from(ErrorKind::StorageFull)));
        assert_eq!(ui.finish(exit::PASSED), exit::FAULT);
        assert_eq!(ui.finish(exit::REFUSED), exit::REFUSED);
    }
}
