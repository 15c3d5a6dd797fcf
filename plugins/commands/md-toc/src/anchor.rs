//! Anchors of headings, as GitHub makes them: lower case, punctuation away, spaces to `-`; a second one gets `-1`.

use std::collections::HashMap;

use unicode_general_category::{GeneralCategory, get_general_category};

/// The anchors of one document.
#[derive(Default)]
pub(crate) struct Anchors {
    /// How often each was asked for, minus one. Anchors with a number are in it too, so that none is given twice.
    given: HashMap<String, u32>,
}

impl Anchors {
    /// The anchor of the next heading, by its text without markup.
    pub(crate) fn add(&mut self, text: &str) -> String {
        let slug = slug(text);
        let mut anchor = slug.clone();
        while self.given.contains_key(&anchor) {
            let count = self.given.entry(slug.clone()).or_insert(0);
            *count += 1;
            anchor = format!("{slug}-{count}");
        }
        self.given.insert(anchor.clone(), 0);
        anchor
    }
}

fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.trim().chars().flat_map(char::to_lowercase) {
        match letter {
            ' ' => slug.push('-'),
            '-' => slug.push('-'),
            letter if is_word(letter) => slug.push(letter),
            _ => {}
        }
    }
    slug
}

/// Letters, marks, decimal digits and connectors: what regular expressions call a word character (UTS #18).
fn is_word(letter: char) -> bool {
    letter.is_alphabetic()
        || matches!(
            get_general_category(letter),
            GeneralCategory::NonspacingMark
                | GeneralCategory::SpacingMark
                | GeneralCategory::EnclosingMark
                | GeneralCategory::DecimalNumber
                | GeneralCategory::ConnectorPunctuation
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_those_of_github() {
        for (text, anchor) in [
            ("Getting started", "getting-started"),
            ("What's new in 1.2?", "whats-new-in-12"),
            ("C++ & C#", "c--c"),
            ("snake_case and kebab-case", "snake_case-and-kebab-case"),
            ("Überschrift ÄÖÜß", "überschrift-äöüß"),
            ("Привет, мир", "привет-мир"),
            ("日本語 の 見出し", "日本語-の-見出し"),
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("🚀 Launch", "-launch"),
            ("a  b", "a--b"),
            ("e\u{301}te", "e\u{301}te"),
            ("«Guillemets» — dash", "guillemets--dash"),
            ("tab\tinside", "tabinside"),
            ("H₂O, x² and ½", "ho-x-and-"),
            ("❤\u{fe0f} hearts", "\u{fe0f}-hearts"),
            ("...", ""),
        ] {
            assert_eq!(Anchors::default().add(text), anchor, "{text}");
        }
    }

    #[test]
    fn no_anchor_is_given_twice() {
        let mut anchors = Anchors::default();
        let given: Vec<String> = ["A", "a", "A-1", "a", "a-1"]
            .iter()
            .map(|text| anchors.add(text))
            .collect();
        assert_eq!(given, ["a", "a-1", "a-1-1", "a-2", "a-1-2"]);
    }
}
