//! How much fits on the page.

use std::cell::Cell;

use crate::html::{MAX_ENTRIES, MAX_PAGE_TEXT, MAX_TEXT};
use crate::words::{clip, grouped, visible, visible_lines};

/// What the markup of one entry of a list is reckoned at, in bytes.
const ENTRY: usize = 400;

/// Hands out texts for the page until it is full.
pub(super) struct Paper {
    left: Cell<usize>,
}

impl Paper {
    pub(super) fn new() -> Self {
        Paper {
            left: Cell::new(MAX_PAGE_TEXT),
        }
    }

    /// A text on one line.
    pub(super) fn text(&self, text: &str) -> String {
        self.place(&visible(&clip(text, MAX_TEXT)))
    }

    /// A text on one line, for a name in a heading or a table.
    pub(super) fn name(&self, text: &str) -> String {
        self.place(&visible(&clip(text, 120)))
    }

    /// Text with its line breaks and tabs.
    pub(super) fn lines(&self, text: &str) -> String {
        self.place(&visible_lines(text))
    }

    /// Whether there is room for one more entry of a list.
    pub(super) fn entry(&self) -> bool {
        self.take(ENTRY)
    }

    /// Sentences, at most as many as fit, with a last one that says how many do not.
    pub(super) fn list(&self, texts: &[String], many: &str) -> Vec<String> {
        let shown = texts.iter().take(MAX_ENTRIES).take_while(|_| self.entry());
        let mut list: Vec<String> = shown.map(|text| self.text(text)).collect();
        list.extend(more(texts.len(), list.len(), many));
        list
    }

    fn place(&self, text: &str) -> String {
        if self.take(escaped_len(text)) {
            text.to_owned()
        } else {
            "…".to_owned()
        }
    }

    fn take(&self, cost: usize) -> bool {
        match self.left.get().checked_sub(cost) {
            Some(left) => self.left.set(left),
            // Nothing more after the first that does not fit: what stands on the page is the beginning.
            None => self.left.set(0),
        }
        self.left.get() > 0
    }
}

/// `… and 12 more steps: the JSON form has them`, where not all of them were shown.
pub(super) fn more(all: usize, shown: usize, many: &str) -> Option<String> {
    let rest = all.saturating_sub(shown) as u64;
    (rest > 0).then(|| {
        format!(
            "… and {} more {many}: `leasehold report --format json` has them",
            grouped(rest)
        )
    })
}

/// Bytes of the text once it is escaped for HTML.
fn escaped_len(text: &str) -> usize {
    let special = |byte: &u8| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'');
    text.len() + 5 * text.as_bytes().iter().filter(|byte| special(byte)).count()
}
