//! How results are printed.

use std::io::{self, Write};

use super::{Row, THROUGH};

const NAME: usize = 36;
const ATTACKS: usize = 52;
const CODE: usize = 22;

/// The head of the table.
///
/// # Errors
/// When nobody listens.
pub fn head(to: &mut impl Write) -> io::Result<()> {
    writeln!(
        to,
        "{:NAME$} {:ATTACKS$} {:CODE$} {:CODE$} twin",
        "name", "attacks", "expected", "got"
    )
}

/// A line of it; one that is not as it has to be begins with `!`.
///
/// # Errors
/// When nobody listens.
pub fn line(to: &mut impl Write, row: &Row) -> io::Result<()> {
    let mark = if row.ok() { "" } else { "! " };
    let name = cut(&format!("{mark}{}", row.name), NAME);
    let attacks = cut(&row.attacks, ATTACKS);
    let twin = if row.twin == THROUGH {
        "passes"
    } else {
        &row.twin
    };
    writeln!(
        to,
        "{name:NAME$} {attacks:ATTACKS$} {:CODE$} {:CODE$} {twin}",
        row.expected, row.got
    )
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width - 1).collect();
    format!("{kept}…")
}
