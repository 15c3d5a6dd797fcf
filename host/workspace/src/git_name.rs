//! How a commit may be named: the part of `gitrevisions(7)` that is a name and a way to an ancestor.

/// One step from a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// To a parent, counted from 1.
    Parent(usize),
    /// To itself: `^0`, `^{commit}`, `^{}`.
    Stay,
}

/// Splits a text into a name and the steps after it.
pub(crate) fn parse(text: &str) -> Result<(&str, Vec<Step>), &'static str> {
    let end = text.find(['~', '^']).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    if name.is_empty() || name.starts_with('-') {
        return Err("it starts with no name");
    }
    let strange = |byte: u8| byte <= b' ' || byte == 0x7f || b"?*[\\:".contains(&byte);
    if name.contains("..") || name.contains("@{") || name.bytes().any(strange) {
        return Err("only names, ids, `~` and `^` are understood");
    }
    let mut steps = Vec::new();
    while let Some(sign) = rest.chars().next() {
        rest = &rest[sign.len_utf8()..];
        if sign == '^'
            && let Some(after) = ["{commit}", "{}"]
                .iter()
                .find_map(|braces| rest.strip_prefix(braces))
        {
            steps.push(Step::Stay);
            rest = after;
            continue;
        }
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let number = match number {
            "" => 1,
            number => number.parse().map_err(|_| "its numbers are too large")?,
        };
        rest = after;
        match (sign, number) {
            ('^', 0) => steps.push(Step::Stay),
            ('^', number) => steps.push(Step::Parent(number)),
            ('~', number) if steps.len() + number <= MAX_STEPS => {
                steps.extend(std::iter::repeat_n(Step::Parent(1), number));
            }
            ('~', _) => return Err("it goes back too far"),
            _ => return Err("only names, ids, `~` and `^` are understood"),
        }
        if steps.len() > MAX_STEPS {
            return Err("it goes back too far");
        }
    }
    Ok((if name == "@" { "HEAD" } else { name }, steps))
}

/// The full names of the refs a name can stand for.
pub(crate) fn candidates(name: &str) -> Vec<String> {
    if name == "HEAD" || name.starts_with("refs/") {
        return vec![name.to_owned()];
    }
    ["refs/", "refs/tags/", "refs/heads/", "refs/remotes/"]
        .iter()
        .map(|folder| format!("{folder}{name}"))
        .chain([format!("refs/remotes/{name}/HEAD")])
        .collect()
}

/// The most commits to go back.
const MAX_STEPS: usize = 100_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_steps() {
        assert_eq!(parse("origin/main"), Ok(("origin/main", vec![])));
        assert_eq!(parse("@~2"), Ok(("HEAD", vec![Step::Parent(1); 2])));
        assert_eq!(
            parse("v1^{commit}^2~"),
            Ok(("v1", vec![Step::Stay, Step::Parent(2), Step::Parent(1)]))
        );
        assert_eq!(parse("HEAD^0"), Ok(("HEAD", vec![Step::Stay])));
        for bad in [
            "",
            "~1",
            "^x",
            "-x",
            "a..b",
            "main@{1}",
            "HEAD:file",
            "a b",
            "HEAD^{tree}",
            "HEAD~x",
            "HEAD~999999999",
            "HEAD~1000001",
            "HEAD~99999999999999999999",
            ":/text",
            "a\0",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-zA-Z0-9~^{}/@:. é-]{0,40}") {
            if let Ok((name, steps)) = parse(&text) {
                prop_assert!(!name.is_empty() && steps.len() <= MAX_STEPS);
            }
        }
    }
}
