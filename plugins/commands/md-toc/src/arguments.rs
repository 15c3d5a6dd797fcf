//! The arguments.

/// What is asked for.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) mode: Mode,
    /// The deepest level of headings that is listed, 1 to 6.
    pub(crate) max_depth: u8,
    /// Files and folders, at least one.
    pub(crate) paths: Vec<String>,
}

/// What becomes of the result.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// One file is printed with its new table of contents.
    Print,
    /// Files that would change are named.
    Check,
    /// Files that change are written.
    InPlace,
}

const USAGE: &str = "usage: md-toc [--in-place | --check] [--max-depth 1..6] PATH...";

impl Arguments {
    /// Reads the arguments, or says what is wrong with them.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let mut arguments = Self {
            mode: Mode::Print,
            max_depth: 6,
            paths: Vec::new(),
        };
        let mut words = words.iter();
        let mut only_paths = false;
        while let Some(word) = words.next() {
            match word.as_str() {
                path if only_paths || !path.starts_with('-') => {
                    arguments.paths.push(path.to_owned())
                }
                "--" => only_paths = true,
                "--in-place" => arguments.set(Mode::InPlace)?,
                "--check" => arguments.set(Mode::Check)?,
                "--max-depth" => {
                    let depth = words.next().and_then(|depth| depth.parse().ok());
                    arguments.max_depth = depth
                        .filter(|depth| (1..=6).contains(depth))
                        .ok_or_else(|| {
                            format!("--max-depth needs a number from 1 to 6; {USAGE}")
                        })?;
                }
                other => return Err(format!("{other} is not known; {USAGE}")),
            }
        }
        if arguments.paths.is_empty() {
            return Err(format!("no file is named; {USAGE}"));
        }
        Ok(arguments)
    }

    fn set(&mut self, mode: Mode) -> Result<(), String> {
        if self.mode != Mode::Print && self.mode != mode {
            return Err(format!(
                "--in-place and --check exclude each other; {USAGE}"
            ));
        }
        self.mode = mode;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Arguments, String> {
        Arguments::parse(
            &words
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn arguments_are_read_in_any_order() {
        let expected = Arguments {
            mode: Mode::InPlace,
            max_depth: 3,
            paths: vec!["docs".to_owned(), "-x".to_owned()],
        };
        assert_eq!(parse("docs --max-depth 3 --in-place -- -x"), Ok(expected));
        assert_eq!(
            parse("a.md").map(|arguments| arguments.mode),
            Ok(Mode::Print)
        );
        assert_eq!(
            parse("--check a.md").map(|arguments| arguments.mode),
            Ok(Mode::Check)
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (words, word) in [
            ("", "no file"),
            ("--in-place", "no file"),
            ("--in-place --check a", "exclude"),
            ("--max-depth", "1 to 6"),
            ("--max-depth 0 a", "1 to 6"),
            ("--max-depth 7 a", "1 to 6"),
            ("--max-depth x a", "1 to 6"),
            ("--write a", "--write"),
        ] {
            let reason = parse(words).err().unwrap_or_default();
            assert!(reason.contains(word), "{words}: {reason}");
        }
    }
}
