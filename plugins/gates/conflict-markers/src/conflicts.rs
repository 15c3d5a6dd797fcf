//! What git leaves in a file where both sides changed the same lines:
//!
//! ```text
//! <<<<<<< ours
//! ||||||| base        (only with merge.conflictStyle diff3 or zdiff3)
//! =======
//! >>>>>>> theirs
//! ```

/// What is left of a conflict.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Remains {
    /// All of it, from the first line to the last, both from 1.
    Conflict { first: u32, last: u32 },
    /// A line that begins one, without the rest.
    Beginning { line: u32 },
    /// A line that ends one, without the rest.
    End { line: u32 },
}

/// What the line says that begins a conflict and is not yet ended.
struct Open {
    line: u32,
    parted: bool,
}

/// The remains of conflicts in a text, by line. Markers have `size` signs. A line of `=` alone is none: headings are underlined so. One that
/// both sides keep apart counts only between the others.
pub(crate) fn find(text: &[u8], size: usize) -> Vec<Remains> {
    let mut found = Vec::new();
    let mut open: Option<Open> = None;
    let leftover = |open: Option<Open>| open.map(|open| Remains::Beginning { line: open.line });
    for (line, number) in lines(text).zip(1_u32..) {
        match marker(line, size) {
            Some(b'<') => {
                found.extend(leftover(open.take()));
                open = Some(Open {
                    line: number,
                    parted: false,
                });
            }
            Some(b'=') => {
                if let Some(open) = &mut open {
                    open.parted = true;
                }
            }
            Some(b'>') => match open.take() {
                Some(Open { line, parted: true }) => found.push(Remains::Conflict {
                    first: line,
                    last: number,
                }),
                other => {
                    found.extend(leftover(other));
                    found.push(Remains::End { line: number });
                }
            },
            _ => {}
        }
    }
    found.extend(leftover(open));
    found
}

/// The sign of a line that is a marker: as many signs as markers have, then a blank and a label, or nothing.
fn marker(line: &[u8], size: usize) -> Option<u8> {
    let sign = *line.first()?;
    if !matches!(sign, b'<' | b'=' | b'>') {
        return None;
    }
    let (signs, label) = line.split_at_checked(size)?;
    let ends = match label.first() {
        None => true,
        Some(blank) => *blank == b' ' && sign != b'=',
    };
    (ends && signs.iter().all(|other| *other == sign)).then_some(sign)
}

/// The lines without their ends, LF or CRLF.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', text).chain([text.len()]);
    ends.map(move |end| {
        let line = text.get(start..end).unwrap_or_default();
        start = end + 1;
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<Remains> {
        find(text.as_bytes(), 7)
    }

    #[test]
    fn conflicts_are_found_whole() {
        for text in [
            "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> branch\nd",
            "a\r\n<<<<<<< HEAD\r\nb\r\n=======\r\nc\r\n>>>>>>> branch\r\n",
            "\n<<<<<<<\n\n=======\n\n>>>>>>>",
        ] {
            assert_eq!(
                found(text),
                [Remains::Conflict { first: 2, last: 6 }],
                "{text}"
            );
        }
        let with_base = "<<<<<<< ours\na\n||||||| base\nb\n=======\nc\n>>>>>>> theirs\n";
        assert_eq!(found(with_base), [Remains::Conflict { first: 1, last: 7 }]);
        let two = with_base.repeat(2);
        assert_eq!(
            found(&two),
            [
                Remains::Conflict { first: 1, last: 7 },
                Remains::Conflict { first: 8, last: 14 }
            ]
        );
    }

    #[test]
    fn half_of_a_conflict_is_found() {
        assert_eq!(found("<<<<<<< HEAD\na\n"), [Remains::Beginning { line: 1 }]);
        assert_eq!(
            found("a\n=======\nb\n>>>>>>> x"),
            [Remains::End { line: 4 }]
        );
        assert_eq!(
            found("<<<<<<< HEAD\na\n>>>>>>> x"),
            [Remains::Beginning { line: 1 }, Remains::End { line: 3 }]
        );
        assert_eq!(
            found("<<<<<<< a\n<<<<<<< b\n=======\n>>>>>>> c"),
            [
                Remains::Beginning { line: 1 },
                Remains::Conflict { first: 2, last: 4 }
            ]
        );
        assert_eq!(
            found("=======\n<<<<<<< a\n>>>>>>> b"),
            [Remains::Beginning { line: 2 }, Remains::End { line: 3 }]
        );
    }

    #[test]
    fn what_only_looks_like_it_is_left_alone() {
        for text in [
            "",
            "Heading\n=======\n\ntext\n=======",
            "||||||| lonely",
            " <<<<<<< indented\n =======\n >>>>>>> indented",
            "x <<<<<<< y",
            "<<<<<<<<<<<<<<\n======= =======\n>>>>>>>>>>>>>>",
            "<<<<<<HEAD\n>>>>>> x",
            "<<<<<<<HEAD\n>>>>>>>HEAD",
            "cat <<EOF\n>> x",
            "========\n======",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn the_size_of_markers_can_be_another() {
        let long = "<<<<<<<<<< a\n==========\n>>>>>>>>>> b";
        assert_eq!(
            find(long.as_bytes(), 10),
            [Remains::Conflict { first: 1, last: 3 }]
        );
        assert_eq!(find(long.as_bytes(), 7), []);
        assert_eq!(find(b"<", 1000), []);
    }

    #[test]
    fn the_fixtures_are_judged_as_their_names_say() {
        assert_eq!(found(include_str!("../tests/fixtures/good.md")), []);
        assert_eq!(
            found(include_str!("../tests/fixtures/bad.txt")),
            [
                Remains::Conflict { first: 3, last: 9 },
                Remains::End { line: 12 },
                Remains::Beginning { line: 14 }
            ]
        );
    }

    /// Whatever the bytes are: no panic, and lines that are there and in order.
    #[test]
    fn arbitrary_lines_do_no_harm() {
        let pieces = [
            "<<<<<<< a\n",
            "=======\n",
            ">>>>>>> b\n",
            "||||||| c\r\n",
            "x\n",
            "\n",
            "<<<<<<<",
            ">>>>>>>",
            "\r",
            "é",
        ];
        let mut state = 9_u64;
        for _ in 0..2000 {
            let mut text = String::new();
            for _ in 0..12 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            let count = text.split('\n').count() as u32;
            let mut last = 0;
            for remains in found(&text) {
                let (from, to) = match remains {
                    Remains::Conflict { first, last } => (first, last),
                    Remains::Beginning { line } | Remains::End { line } => (line, line),
                };
                assert!(from > last && from <= to && to <= count, "{text:?}");
                last = to;
            }
        }
    }
}
