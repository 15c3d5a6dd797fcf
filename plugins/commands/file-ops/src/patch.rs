//! Unified diffs (POSIX `diff -u`) of one file. A diff fits to the letter or not at all: line numbers, counts, context and the end of
//! the last line all have to be right.

/// What the file is after the diff, or why the diff does not fit.
pub(crate) fn apply(path: &str, old: &str, diff: &str) -> Result<String, String> {
    let hunks = parse(path, diff)?;
    let old_lines: Vec<&str> = old.split_inclusive('\n').collect();
    let mut new_lines: Vec<&str> = Vec::new();
    let mut at = 0;
    for (index, hunk) in hunks.iter().enumerate() {
        let fail = |what: String| Err(format!("hunk {}: {what}", index + 1));
        if hunk.old_start < at || hunk.old_start > old_lines.len() {
            return fail(format!(
                "it does not begin in what is left of the file, which has {} lines",
                old_lines.len()
            ));
        }
        new_lines.extend(&old_lines[at..hunk.old_start]);
        at = hunk.old_start;
        if new_lines.len() != hunk.new_start {
            return fail("its line number in the new file is wrong".to_owned());
        }
        for line in &hunk.lines {
            if line.mark != '+' {
                match old_lines.get(at) {
                    Some(there) if *there == line.text => at += 1,
                    Some(there) => {
                        return fail(format!("line {} is {there:?}, not {:?}", at + 1, line.text));
                    }
                    None => return fail(format!("the file ends before line {}", at + 1)),
                }
            }
            if line.mark != '-' {
                new_lines.push(&line.text);
            }
        }
    }
    new_lines.extend(&old_lines[at..]);
    // Only the last line of a file can lack its end.
    match new_lines
        .iter()
        .rev()
        .skip(1)
        .position(|line| !line.ends_with('\n'))
    {
        Some(_) => Err("a line in the middle of the file would have no end".to_owned()),
        None => Ok(new_lines.concat()),
    }
}

struct Hunk {
    /// Lines of the old file before this hunk.
    old_start: usize,
    /// Lines of the new file before this hunk.
    new_start: usize,
    lines: Vec<Line>,
}

struct Line {
    /// ` `, `-` or `+`.
    mark: char,
    /// The line with its end, if it has one.
    text: String,
}

fn parse(path: &str, diff: &str) -> Result<Vec<Hunk>, String> {
    let mut hunks = Vec::new();
    let mut lines = diff.lines_with_carriage_returns().peekable();
    while let Some(line) = lines.next_if(|line| !line.starts_with("@@ ")) {
        check_header(path, line)?;
    }
    while let Some(line) = lines.next() {
        let (old, new) = ranges(line).ok_or_else(|| format!("{line:?} does not begin a hunk"))?;
        let mut hunk = Hunk {
            old_start: old.lines_before()?,
            new_start: new.lines_before()?,
            lines: Vec::new(),
        };
        let (mut old_left, mut new_left) = (old.count, new.count);
        while old_left > 0 || new_left > 0 {
            let line = lines
                .next()
                .ok_or("the diff ends in the middle of a hunk")?;
            let mark = line.chars().next().unwrap_or('\0');
            let counted = match mark {
                ' ' => take(&mut old_left) && take(&mut new_left),
                '-' => take(&mut old_left),
                '+' => take(&mut new_left),
                _ => {
                    return Err(format!(
                        "{line:?} in a hunk begins with none of ' ', '-' and '+'"
                    ));
                }
            };
            if !counted {
                return Err(format!("a hunk has more lines than it says: {line:?}"));
            }
            let end = if lines.next_if(|line| line.starts_with("\\ ")).is_some() {
                ""
            } else {
                "\n"
            };
            hunk.lines.push(Line {
                mark,
                text: format!("{}{end}", &line[1..]),
            });
        }
        hunks.push(hunk);
    }
    if hunks.is_empty() {
        Err("the diff has no hunks".to_owned())
    } else {
        Ok(hunks)
    }
}

/// Lines without their `\n`; a `\r` belongs to the line.
trait LinesWithCarriageReturns {
    fn lines_with_carriage_returns(&self) -> impl Iterator<Item = &str>;
}

impl LinesWithCarriageReturns for str {
    fn lines_with_carriage_returns(&self) -> impl Iterator<Item = &str> {
        self.split_inclusive('\n')
            .map(|line| line.strip_suffix('\n').unwrap_or(line))
    }
}

/// What may stand in front of the first hunk. A name, if there is one, must be that of the file.
fn check_header(path: &str, line: &str) -> Result<(), String> {
    let named = match line.split_once(' ') {
        Some(("---" | "+++", rest)) => rest.split('\t').next().unwrap_or(rest),
        Some(("diff" | "index", _)) => return Ok(()),
        _ => return Err(format!("{line:?} does not belong in the diff of one file")),
    };
    let fits = [
        named,
        named.strip_prefix("a/").unwrap_or(named),
        named.strip_prefix("b/").unwrap_or(named),
    ]
    .contains(&path);
    if fits {
        Ok(())
    } else {
        Err(format!("the diff is for {named:?}"))
    }
}

struct Range {
    start: usize,
    count: usize,
}

impl Range {
    /// An empty range names the line before it, any other its first line.
    fn lines_before(&self) -> Result<usize, String> {
        if self.count == 0 {
            Ok(self.start)
        } else {
            self.start
                .checked_sub(1)
                .ok_or_else(|| "lines count from 1".to_owned())
        }
    }
}

/// The ranges of `@@ -1,2 +3,4 @@ anything`.
fn ranges(line: &str) -> Option<(Range, Range)> {
    let (old, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    Some((range(old)?, range(new)?))
}

fn range(text: &str) -> Option<Range> {
    let (start, count) = text.split_once(',').unwrap_or((text, "1"));
    Some(Range {
        start: start.parse().ok()?,
        count: count.parse().ok()?,
    })
}

fn take(left: &mut usize) -> bool {
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "one\ntwo\nthree\nfour\nfive\n";

    fn fails(old: &str, diff: &str, word: &str) {
        let error = apply("f", old, diff).err().unwrap_or_default();
        assert!(error.contains(word), "{diff}: {error}");
    }

    #[test]
    fn what_diff_writes_fits() {
        let diff = "--- a/f\t2026-01-01\n+++ b/f\n@@ -1,3 +1,4 @@ heading\n one\n-two\n+2\n+2½\n three\n@@ -5 +6 @@\n-five\n+5\n";
        assert_eq!(
            apply("f", OLD, diff).as_deref(),
            Ok("one\n2\n2½\nthree\nfour\n5\n")
        );
    }

    #[test]
    fn lines_are_added_at_both_ends_and_to_an_empty_file() {
        assert_eq!(
            apply("f", "x\n", "@@ -0,0 +1 @@\n+a\n@@ -1,0 +3 @@\n+b\n").as_deref(),
            Ok("a\nx\nb\n")
        );
        assert_eq!(
            apply("f", "", "@@ -0,0 +1,2 @@\n+a\n+b\n").as_deref(),
            Ok("a\nb\n")
        );
        assert_eq!(apply("f", "a\n", "@@ -1 +0,0 @@\n-a\n").as_deref(), Ok(""));
    }

    #[test]
    fn the_end_of_the_last_line_counts() {
        let adds_the_end = "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n";
        assert_eq!(apply("f", "a", adds_the_end).as_deref(), Ok("a\n"));
        fails("a\n", adds_the_end, "line 1 is");
        fails(
            "a\nb\n",
            "@@ -1 +1 @@\n-a\n+c\n\\ No newline at end of file\n",
            "middle",
        );
        assert_eq!(
            apply("f", "a\r\n", "@@ -1 +1 @@\n-a\r\n+b\r\n").as_deref(),
            Ok("b\r\n")
        );
        fails("a\r\n", "@@ -1 +1 @@\n-a\n+b\n", "line 1 is");
    }

    #[test]
    fn nothing_fits_by_and_large() {
        fails(OLD, "@@ -1,2 +1,2 @@\n one\n-zwei\n+2\n", "line 2 is");
        fails(OLD, "@@ -2,2 +2,2 @@\n one\n-two\n+2\n", "line 2 is");
        fails(OLD, "@@ -1,2 +2,2 @@\n one\n-two\n+2\n", "new file");
        fails(OLD, "@@ -6 +6 @@\n-six\n+6\n", "ends before");
        fails(OLD, "@@ -9 +9 @@\n-nine\n+9\n", "does not begin");
        fails(
            OLD,
            "@@ -3 +3 @@\n-three\n+3\n@@ -1 +1 @@\n-one\n+1\n",
            "hunk 2",
        );
    }

    #[test]
    fn a_diff_that_is_none_is_refused() {
        fails(OLD, "", "no hunks");
        fails(OLD, "@@ -1,2 +1,2 @@\n one\n", "middle of a hunk");
        fails(OLD, "@@ -1 +1 @@\n-one\n+1\n+1a\n", "does not begin a hunk");
        fails(OLD, "@@ -1,1 +1,0 @@\n one\n", "more lines");
        fails(OLD, "@@ -1 +1 @@\none\n", "none of");
        fails(OLD, "@@ -0 +1 @@\n-one\n+1\n", "count from 1");
        fails(OLD, "@@ -a +b @@\n-one\n+1\n", "does not begin a hunk");
        fails(OLD, "--- a/g\n+++ b/g\n@@ -1 +1 @@\n-one\n+1\n", "\"a/g\"");
        fails(
            OLD,
            "rename from g\n@@ -1 +1 @@\n-one\n+1\n",
            "does not belong",
        );
    }
}
