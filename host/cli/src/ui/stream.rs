//! One of the two streams: escaping, colour, and what could not be written.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, Write};
use std::rc::Rc;

use super::Line;
use crate::text::{clip, visible, visible_lines};

/// The most characters of one piece of a line.
const PIECE: usize = 4_000;

/// Where one of the two streams goes.
pub(super) enum Sink {
    Stdout,
    Stderr,
    /// Kept, for a caller in the same process.
    Kept(Rc<RefCell<Vec<u8>>>),
}

/// One of the two streams.
pub(super) struct Stream {
    sink: Sink,
    terminal: bool,
    colour: bool,
    /// Set when something could not be written, other than because nobody reads any more.
    pub(super) lost: Cell<bool>,
    /// Set when nobody reads any more.
    closed: Cell<bool>,
}

impl Stream {
    pub(super) fn new(sink: Sink, terminal: bool, colour: bool) -> Self {
        Stream {
            sink,
            terminal,
            colour,
            lost: Cell::new(false),
            closed: Cell::new(false),
        }
    }

    /// Whether a terminal shows it that can move its cursor.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    pub(super) fn line(&self, line: &Line) {
        let mut text = String::new();
        for (style, piece) in &line.0 {
            let piece = clip(piece, PIECE);
            let piece = visible(&piece);
            if piece.is_empty() {
                continue;
            }
            let (on, off) = if self.colour { style.codes() } else { ("", "") };
            text.push_str(on);
            text.push_str(&piece);
            text.push_str(off);
        }
        let kept = text.trim_end().len();
        text.truncate(kept);
        text.push('\n');
        self.write(text.as_bytes());
    }

    pub(super) fn foreign(&self, bytes: &[u8]) {
        if self.terminal {
            self.write(visible_lines(&String::from_utf8_lossy(bytes)).as_bytes());
        } else {
            self.write(bytes);
        }
    }

    pub(super) fn write(&self, bytes: &[u8]) {
        if self.closed.get() {
            return;
        }
        let written = match &self.sink {
            Sink::Stdout => io::stdout().lock().write_all(bytes),
            Sink::Stderr => io::stderr().lock().write_all(bytes),
            Sink::Kept(buffer) => buffer.borrow_mut().write_all(bytes),
        };
        self.note(written);
    }

    pub(super) fn flush(&self) {
        let flushed = match &self.sink {
            Sink::Stdout => io::stdout().lock().flush(),
            Sink::Stderr | Sink::Kept(_) => Ok(()),
        };
        self.note(flushed);
    }

    /// A reader that went away (`leasehold … | head`) is no failure; a full disk is.
    pub(super) fn note(&self, written: io::Result<()>) {
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.closed.set(true),
            Err(_) => self.lost.set(true),
        }
    }
}
