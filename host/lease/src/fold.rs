//! What two names have in common when a file system takes them for the same file.
//!
//! Deny rules and protected names compare folded names, so that another spelling of a denied name is denied as well:
//! case-insensitive folders (ext4, APFS, NTFS, ZFS), normalising ones (HFS+, ZFS), ones that ignore invisible
//! characters (HFS+), and NTFS, which drops dots and spaces at the end of a name.
//!
//! The steps: remove default-ignorable code points; decompose (NFD); Unicode's full case folding, then
//! upper case, then lower case, each character by itself; decompose again; cut `.` and ` ` off the
//! end. Equality after these steps is coarser than equality of NFC after full case folding: it also
//! joins what only a conversion to upper case joins, such as `ı` and `i` (ZFS, NTFS). Ligatures such as
//! `ﬁ` are joined with `fi`, since full case folding does so. Compatibility forms are not joined (no
//! NFKC): no file system takes full-width `ａ` for `a`. One thing is not joined that some file system
//! might: a name in which U+0345, a mark whose capital is a letter, stands out of canonical order
//! before another mark, and the same name after a conversion to upper case.

use std::borrow::Cow;

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// The most characters that folding makes of one character.
pub(crate) const MAX_FOLD: usize = 4;

/// The code points with the Unicode property `Default_Ignorable_Code_Point`
/// (Unicode 17, `DerivedCoreProperties.txt`; the ranges reserve room, so new characters do not change them).
const IGNORABLE: [(char, char); 17] = [
    ('\u{AD}', '\u{AD}'),
    ('\u{34F}', '\u{34F}'),
    ('\u{61C}', '\u{61C}'),
    ('\u{115F}', '\u{1160}'),
    ('\u{17B4}', '\u{17B5}'),
    ('\u{180B}', '\u{180F}'),
    ('\u{200B}', '\u{200F}'),
    ('\u{202A}', '\u{202E}'),
    ('\u{2060}', '\u{206F}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{FE00}', '\u{FE0F}'),
    ('\u{FEFF}', '\u{FEFF}'),
    ('\u{FFA0}', '\u{FFA0}'),
    ('\u{FFF0}', '\u{FFF8}'),
    ('\u{1BCA0}', '\u{1BCA3}'),
    ('\u{1D173}', '\u{1D17A}'),
    ('\u{E0000}', '\u{E0FFF}'),
];

/// Whether no guest may touch anything of this name, at any depth, whatever its lease says: `.git` in any spelling
/// that some file system takes for it, including the short name `git~1` and NTFS streams such as `.git::$INDEX`.
///
/// `name` is one path component.
#[must_use]
pub fn is_protected_name(name: &str) -> bool {
    let without_stream = name.split_once(':').map_or(name, |(file, _)| file);
    matches!(fold_name(without_stream).as_ref(), ".git" | "git~1")
}

/// Folds one path component; see the head of this module.
pub(crate) fn fold_name(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        let kept = trim_end(name);
        return if kept.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(kept.to_ascii_lowercase())
        } else {
            Cow::Borrowed(kept)
        };
    }
    let decomposed = name.chars().filter(|&char| !is_ignorable(char)).nfd();
    let folded: String = fold_decomposed(decomposed).into_iter().collect();
    Cow::Owned(trim_end(&folded).to_owned())
}

/// Removes ignorable characters and decomposes: the first two steps, after which [`is_mark`] tells what may reorder.
pub(crate) fn decompose(chars: impl Iterator<Item = char>) -> Vec<char> {
    chars.filter(|&char| !is_ignorable(char)).nfd().collect()
}

/// Folds the case of decomposed characters and decomposes again: the third and fourth step.
pub(crate) fn fold_decomposed(chars: impl Iterator<Item = char>) -> Vec<char> {
    fold_case(chars).into_iter().nfd().collect()
}

/// Whether normalisation may move this (decomposed) character past its neighbours.
pub(crate) fn is_mark(char: char) -> bool {
    canonical_combining_class(char) != 0
}

/// Whether a file system may drop this character at the end of a name.
pub(crate) fn is_trimmed(char: char) -> bool {
    matches!(char, '.' | ' ')
}

/// Whether `chars` may be the fold of a single character, or of none that is visible.
///
/// Wider than the truth: one character, followed by characters that are not ASCII; and the few letter pairs and
/// triples of ligatures. A test holds it against every character there is.
pub(crate) fn is_fold_of_one(chars: &[char]) -> bool {
    match chars {
        [] | [_] => true,
        ['s', 's' | 't'] | ['f', 'f' | 'i' | 'l'] | ['f', 'f', 'i' | 'l'] | ['\u{2BC}', 'n'] => {
            true
        }
        [_, rest @ ..] => chars.len() <= MAX_FOLD && rest.iter().all(|char| !char.is_ascii()),
    }
}

fn fold_case(chars: impl Iterator<Item = char>) -> Vec<char> {
    let folded = UniCase::unicode(chars.collect::<String>()).to_folded_case();
    folded
        .chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

fn trim_end(name: &str) -> &str {
    name.trim_end_matches(is_trimmed)
}

fn is_ignorable(char: char) -> bool {
    IGNORABLE
        .iter()
        .any(|&(first, last)| (first..=last).contains(&char))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_char() -> impl Iterator<Item = char> {
        '\0'..=char::MAX
    }

    /// The slow path, also for ASCII.
    fn fold_slowly(name: &str) -> String {
        let folded: String = fold_decomposed(decompose(name.chars()).into_iter())
            .into_iter()
            .collect();
        trim_end(&folded).to_owned()
    }

    #[test]
    fn variants_fold_together() {
        for (left, right) in [
            (".env", ".ENV"),
            (".env", ".e\u{200C}nv"),
            (".env", ".env."),
            (".env", ".env . ."),
            ("caf\u{E9}", "cafe\u{301}"),
            ("CAF\u{C9}", "cafe\u{301}"),
            ("stra\u{DF}e", "STRASSE"),
            ("\u{1E9E}", "ss"),
            ("\u{FB01}le", "FILE"),
            ("\u{212A}ey", "key"),
            ("\u{3C2}", "\u{3A3}"),
            ("\u{131}d", "ID"),
            ("a\u{301}\u{323}", "a\u{323}\u{301}"),
            ("a\u{301}\u{34F}\u{323}", "\u{1EA1}\u{301}"),
        ] {
            assert_eq!(fold_name(left), fold_name(right), "{left:?} {right:?}");
        }
        for (left, right) in [
            ("a", "\u{FF41}"),
            ("a", "b"),
            (".env", "env"),
            ("a b", "ab"),
            ("e", "\u{E9}"),
        ] {
            assert_ne!(fold_name(left), fold_name(right), "{left:?} {right:?}");
        }
    }

    #[test]
    fn ascii_fast_path_agrees_with_the_slow_one() {
        for first in '\0'..='\u{7F}' {
            for second in '\0'..='\u{7F}' {
                let name: String = [first, second].iter().collect();
                assert_eq!(fold_name(&name), fold_slowly(&name));
            }
        }
    }

    #[test]
    fn git_is_protected_in_every_spelling() {
        for name in [
            ".git",
            ".GIT",
            ".Git",
            ".g\u{200C}it",
            "\u{FEFF}.git",
            ".git.",
            ".git ",
            ".git. .",
            ".g\u{131}t",
            "GIT~1",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
        ] {
            assert!(is_protected_name(name), "{name:?}");
        }
        for name in [
            ".gitignore",
            "git",
            ".github",
            "x.git",
            ".gi",
            "git~2",
            "a:.git",
        ] {
            assert!(!is_protected_name(name), "{name:?}");
        }
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for char in every_char() {
            let once = fold_slowly(&char.to_string());
            assert_eq!(fold_slowly(&once), once, "{char:?}");
        }
    }

    /// What [`is_mark`] says of a decomposed character still holds after its case was folded, except
    /// for U+0345, which becomes a letter. `Component` relies on it.
    #[test]
    fn folding_makes_no_marks() {
        for char in every_char() {
            for part in decompose(std::iter::once(char)) {
                let folded = fold_decomposed(std::iter::once(part));
                let mark = |&char: &char| is_mark(char);
                if is_mark(part) {
                    assert!(
                        folded.iter().all(mark) || part == '\u{345}',
                        "{part:?} {folded:?}"
                    );
                } else {
                    assert!(!folded.iter().any(mark), "{part:?} {folded:?}");
                }
            }
        }
    }

    #[test]
    fn fold_of_every_char_is_known_to_the_wildcard() {
        for char in every_char() {
            let folded = fold_decomposed(decompose(std::iter::once(char)).into_iter());
            assert!(
                folded.len() <= MAX_FOLD && is_fold_of_one(&folded),
                "{char:?} {folded:?}"
            );
        }
    }

    /// A second opinion on the table, by another project's Unicode data.
    #[test]
    fn ignorable_agrees_with_regex_syntax() {
        let parsed = regex_syntax::parse(r"\p{Default_Ignorable_Code_Point}").unwrap();
        let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) =
            parsed.kind()
        else {
            panic!("not a class");
        };
        let theirs: Vec<(char, char)> = class
            .ranges()
            .iter()
            .map(|range| (range.start(), range.end()))
            .collect();
        assert_eq!(theirs, IGNORABLE);
    }

    /// What Unicode's full case folding, upper case, lower case or normalisation joins, ours joins as well.
    #[test]
    fn coarser_than_unicode_case_folding() {
        for char in every_char().filter(|&char| !is_ignorable(char)) {
            let spelled = char.to_string();
            let folded = fold_slowly(&spelled);
            for joined in [
                UniCase::unicode(spelled.as_str()).to_folded_case(),
                char.to_uppercase().collect(),
                char.to_lowercase().collect(),
                spelled.nfc().collect(),
                spelled.nfd().collect(),
            ] {
                assert!(
                    joined == spelled || fold_slowly(&joined) == folded,
                    "{spelled:?} {joined:?}"
                );
            }
        }
    }
}
