//! Where the tour takes place: runs command lines through the same function as `main`, shows them, and holds them to what was
//! expected.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::Serialize;

use crate::ambient::Ambient;
use crate::commands::{self, Context};
use crate::failure::Failure;
use crate::text::quoted;
use crate::ui::{Format, Line, Style, Ui};

/// How many lines of what a command prints are shown, where a scene says nothing else.
const SHOWN_LINES: usize = 12;

/// One command line of the tour, and how it came out.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) scene: String,
    pub(super) command: String,
    pub(super) exit: u8,
    pub(super) expected: u8,
    /// What was expected and did not happen.
    pub(super) unmet: Vec<String>,
}

/// What a step has to end with.
pub(super) struct Expected<'a> {
    /// The exit code.
    pub(super) exit: u8,
    /// Each of these is printed.
    pub(super) says: &'a [&'a str],
    /// How many lines are shown.
    pub(super) lines: usize,
}

/// A step that ends with this exit code and prints all of this.
pub(super) fn expect<'a>(exit: u8, says: &'a [&'a str]) -> Expected<'a> {
    Expected {
        exit,
        says,
        lines: SHOWN_LINES,
    }
}

impl Expected<'_> {
    /// The same, showing so many lines.
    pub(super) fn showing(self, lines: usize) -> Self {
        Expected { lines, ..self }
    }
}

pub(super) struct Stage<'a> {
    folder: PathBuf,
    ambient: Ambient,
    context: &'a Context,
    scene: String,
    scenes: usize,
    steps: Vec<Step>,
}

impl<'a> Stage<'a> {
    /// A stage in a folder, with a home of its own.
    pub(super) fn new(folder: &Path, context: &'a Context) -> Self {
        Stage {
            folder: folder.to_owned(),
            ambient: context.ambient.elsewhere(folder, &folder.join("home")),
            context,
            scene: String::new(),
            scenes: 0,
            steps: Vec::new(),
        }
    }

    /// Begins a scene.
    pub(super) fn scene(&mut self, title: &str, about: &[&str]) {
        self.scenes += 1;
        title.clone_into(&mut self.scene);
        let ui = &self.context.ui;
        ui.data("");
        ui.data(Line::styled(
            Style::Bold,
            format!("{}. {title}", self.scenes),
        ));
        for line in about {
            ui.data(format!("   {line}"));
        }
    }

    /// Runs one command line, as if it was typed in the folder, and gives what it printed.
    pub(super) fn run(&mut self, words: &[&str], expected: &Expected<'_>) -> String {
        let command: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let command = format!("leasehold {}", command.join(" "));
        let ui = &self.context.ui;
        ui.data("");
        ui.data(Line::styled(Style::Bold, format!("   $ {command}")));
        let mut args = vec![OsString::from("leasehold")];
        args.extend(words.iter().map(OsString::from));
        // Both streams into one buffer: in the order in which a terminal would show them.
        let said: Rc<RefCell<Vec<u8>>> = Rc::default();
        let inner = Context {
            ambient: self.ambient.clone(),
            ui: Ui::kept(Format::Text, Rc::clone(&said), Rc::clone(&said)),
        };
        let exit = commands::run(&args, inner);
        let said = String::from_utf8_lossy(&said.borrow()).into_owned();
        self.show(&said, exit, expected);
        let mut unmet = Vec::new();
        if exit != expected.exit {
            unmet.push(format!("exit code {exit} instead of {}", expected.exit));
        }
        for words in expected.says.iter().filter(|words| !said.contains(**words)) {
            unmet.push(format!("it did not say {words:?}"));
        }
        self.steps.push(Step {
            scene: self.scene.clone(),
            command,
            exit,
            expected: expected.exit,
            unmet,
        });
        said
    }

    /// Holds something else than a command to what is expected.
    pub(super) fn check(&mut self, what: &str, holds: bool) {
        let (word, style) = if holds {
            ("   ✓ ", Style::Good)
        } else {
            ("   ✗ ", Style::Bad)
        };
        self.context.ui.data(Line::styled(style, word).plain(what));
        if let Some(step) = self.steps.last_mut().filter(|_| !holds) {
            step.unmet.push(format!("not so: {what}"));
        }
    }

    /// A line between steps: something done by hand.
    pub(super) fn aside(&self, text: &str) {
        self.context.ui.data("");
        self.context.ui.data(format!("   {text}"));
    }

    /// A path in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A file of the folder as text; empty if it cannot be read, which no expectation of the tour is met by.
    pub(super) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Puts a file into the folder.
    pub(super) fn put(&self, name: &str, content: &[u8]) -> Result<(), Failure> {
        let path = self.path(name);
        fs::write(&path, content).map_err(|error| Failure::writing("file", &path, &error))
    }

    /// All steps so far.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The steps that came out otherwise than expected.
    pub(super) fn unmet(&self) -> Vec<&Step> {
        self.steps
            .iter()
            .filter(|step| !step.unmet.is_empty())
            .collect()
    }

    fn show(&self, said: &str, exit: u8, expected: &Expected<'_>) {
        let ui = &self.context.ui;
        let count = said.lines().count();
        for line in said.lines().take(expected.lines) {
            ui.data(Line::styled(Style::Dim, "   │ ").plain(line));
        }
        if count > expected.lines {
            ui.data(Line::styled(
                Style::Dim,
                format!("   │ … {} more lines", count - expected.lines),
            ));
        }
        let style = if exit == expected.exit {
            Style::Good
        } else {
            Style::Bad
        };
        ui.data(Line::styled(style, format!("   exit {exit}")));
    }
}
