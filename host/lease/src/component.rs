//! One component of a pattern: a literal, or a wildcard of `*` and `?`.

use crate::fold;

/// A component of a pattern other than `**`, ready to match names exactly (allow) and folded (deny).
#[derive(Debug)]
pub(crate) struct Component {
    exact: Form,
    folded: Form,
}

#[derive(Debug)]
enum Form {
    Literal(Box<str>),
    Wildcard(Wildcard),
}

/// Tokens, at least one of them `*` or `?` in the exact form.
#[derive(Debug)]
struct Wildcard {
    tokens: Box<[Token]>,
    /// From this token on all may be left over when the name ends.
    tail: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`: in the exact form one character (Unicode scalar value), in the folded form the fold of one.
    One,
    /// `*`: any number of characters.
    Many,
}

impl Component {
    /// Reads a component that was checked: not empty, no `**`, no `/`.
    pub(crate) fn new(text: &str) -> Self {
        if !text.contains(['*', '?']) {
            return Self {
                exact: Form::Literal(text.into()),
                folded: Form::Literal(fold::fold_name(text).into()),
            };
        }
        let exact = text.chars().map(token).collect();
        Self {
            exact: Form::Wildcard(Wildcard::new(exact, |token| token == Token::Many)),
            folded: Form::Wildcard(Wildcard::new(fold_tokens(text), may_be_trimmed)),
        }
    }

    /// Whether this component is `*` alone.
    pub(crate) fn is_star(&self) -> bool {
        matches!(&self.exact, Form::Wildcard(wildcard) if *wildcard.tokens == [Token::Many])
    }

    /// Whether the name matches character by character. Time is at most proportional to the product of the lengths.
    pub(crate) fn matches(&self, name: &str) -> bool {
        match &self.exact {
            Form::Literal(literal) => **literal == *name,
            Form::Wildcard(wildcard) => wildcard.matches(name),
        }
    }

    /// Whether some name that folds to `folded` could match. `folded` is the result of [`fold::fold_name`].
    pub(crate) fn matches_folded(&self, folded: &str) -> bool {
        match &self.folded {
            Form::Literal(literal) => **literal == *folded,
            Form::Wildcard(wildcard) if wildcard.tokens.contains(&Token::One) => {
                wildcard.matches_by_folds(folded)
            }
            Form::Wildcard(wildcard) => wildcard.matches(folded),
        }
    }

    /// Whether every name that `other` matches is matched by this component. Sound, not complete.
    pub(crate) fn covers(&self, other: &Component) -> bool {
        if self.is_star() {
            return true;
        }
        match (&self.exact, &other.exact) {
            (Form::Literal(ours), Form::Literal(theirs)) => ours == theirs,
            (Form::Wildcard(_), Form::Literal(theirs)) => self.matches(theirs),
            // A wildcard matches more than one name.
            (Form::Literal(_), Form::Wildcard(_)) => false,
            (Form::Wildcard(ours), Form::Wildcard(theirs)) => {
                tokens_cover(&normalise(&ours.tokens), &normalise(&theirs.tokens))
            }
        }
    }
}

impl Wildcard {
    fn new(tokens: Box<[Token]>, may_be_left: impl Fn(Token) -> bool) -> Self {
        let last_needed = tokens.iter().rposition(|&token| !may_be_left(token));
        Self {
            tail: last_needed.map_or(0, |last| last + 1),
            tokens,
        }
    }

    /// Two pointers; on a mismatch only the last `*` takes one character more, so the work is bounded by the product
    /// of the lengths. Here `?` stands for one character.
    fn matches(&self, name: &str) -> bool {
        let mut names = name.chars();
        let mut at = 0;
        let mut last_star: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let before = names.clone();
            let Some(char) = names.next() else {
                return at >= self.tail;
            };
            match self.tokens.get(at) {
                Some(Token::Many) => {
                    last_star = Some((at, before.clone()));
                    names = before;
                    at += 1;
                }
                Some(Token::One) => at += 1,
                Some(Token::Char(wanted)) if *wanted == char => at += 1,
                _ => {
                    let Some((star, taken)) = last_star.as_mut() else {
                        return false;
                    };
                    taken.next();
                    names = taken.clone();
                    at = *star + 1;
                }
            }
        }
    }

    /// Here `?` stands for the fold of one character, of which there may be several, or none. Marks, for every token
    /// in turn, which prefixes of the name the tokens so far can have consumed.
    fn matches_by_folds(&self, folded: &str) -> bool {
        let name: Vec<char> = folded.chars().collect();
        let mut reached = vec![false; name.len() + 1];
        reached[0] = true;
        for (index, token) in self.tokens.iter().enumerate() {
            if index >= self.tail && reached[name.len()] {
                return true;
            }
            reached = advance(*token, &reached, &name);
        }
        reached[name.len()]
    }
}

/// Whether folding may have cut off the end of a name what this token stood for.
fn may_be_trimmed(token: Token) -> bool {
    !matches!(token, Token::Char(char) if !fold::is_trimmed(char))
}

fn token(char: char) -> Token {
    match char {
        '*' => Token::Many,
        '?' => Token::One,
        _ => Token::Char(char),
    }
}

/// Folds the literal stretches between wildcards.
///
/// Normalisation may move combining marks across what a wildcard stands for, so marks next to one become part of it
/// (and it becomes `*`). That denies slightly more than was written, never less.
fn fold_tokens(text: &str) -> Box<[Token]> {
    let mut folded = Vec::new();
    let mut rest = text;
    let mut after_wildcard = false;
    while !rest.is_empty() {
        let length = rest.find(['*', '?']).unwrap_or(rest.len());
        let (literal, wildcard) = rest.split_at(length);
        let mut chars = fold::decompose(literal.chars());
        if after_wildcard {
            let marks = chars
                .iter()
                .take_while(|&&char| fold::is_mark(char))
                .count();
            if marks > 0 {
                chars.drain(..marks);
                widen_last(&mut folded);
            }
        }
        let mut wildcard_chars = wildcard.chars();
        let next = wildcard_chars.next().map(token);
        let kept = match next {
            Some(_) => chars
                .iter()
                .rposition(|&char| !fold::is_mark(char))
                .map_or(0, |last| last + 1),
            None => chars.len(),
        };
        let widened = kept < chars.len();
        chars.truncate(kept);
        folded.extend(
            fold::fold_decomposed(chars.into_iter())
                .into_iter()
                .map(Token::Char),
        );
        if let Some(next) = next {
            folded.push(if widened { Token::Many } else { next });
        }
        after_wildcard = true;
        rest = wildcard_chars.as_str();
    }
    folded.into()
}

fn widen_last(tokens: &mut [Token]) {
    if let Some(last) = tokens.last_mut() {
        *last = Token::Many;
    }
}

fn advance(token: Token, reached: &[bool], name: &[char]) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    match token {
        Token::Char(wanted) => {
            for (at, char) in name.iter().enumerate() {
                next[at + 1] = reached[at] && *char == wanted;
            }
        }
        Token::One => {
            for at in (0..reached.len()).filter(|&at| reached[at]) {
                for end in at..reached.len().min(at + fold::MAX_FOLD + 1) {
                    next[end] |= fold::is_fold_of_one(&name[at..end]);
                }
            }
        }
        Token::Many => {
            let mut any = false;
            for (at, was) in reached.iter().enumerate() {
                any |= was;
                next[at] = any;
            }
        }
    }
    next
}

/// `?*?` and `*??` mean the same: puts the `?` of each stretch of wildcards first.
fn normalise(tokens: &[Token]) -> Vec<Token> {
    let mut normal: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut star = false;
    for token in tokens {
        match token {
            Token::Many => star = true,
            Token::One => normal.push(Token::One),
            Token::Char(_) => {
                if std::mem::take(&mut star) {
                    normal.push(Token::Many);
                }
                normal.push(*token);
            }
        }
    }
    if star {
        normal.push(Token::Many);
    }
    normal
}

/// `covered[j]` after the round for `i`: our tokens from `i` on match everything their tokens from `j` on match.
fn tokens_cover(ours: &[Token], theirs: &[Token]) -> bool {
    let ends = theirs.len();
    let mut below: Vec<bool> = (0..=ends).map(|at| at == ends).collect();
    for our in ours.iter().rev() {
        let mut row = vec![false; ends + 1];
        row[ends] = *our == Token::Many && below[ends];
        for (at, their) in theirs.iter().enumerate().rev() {
            row[at] = match (our, their) {
                (Token::Many, _) => below[at] || row[at + 1],
                (Token::One, Token::Many) | (Token::Char(_), Token::One | Token::Many) => false,
                (Token::One, _) => below[at + 1],
                (Token::Char(ours), Token::Char(theirs)) => ours == theirs && below[at + 1],
            };
        }
        below = row;
    }
    below[0]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Where there is no `?`, both ways of matching folded names have to agree.
        #[test]
        fn two_pointers_agree_with_the_table(text in "[ab. ]{0,2}(\\*[ab. ]{0,2}){1,3}", name in "[ab. ]{0,8}") {
            let Form::Wildcard(wildcard) = Component::new(&text.replace("**", "*a*")).folded else {
                panic!("{text:?} has a wildcard");
            };
            let name = fold::fold_name(&name);
            prop_assert_eq!(wildcard.matches(&name), wildcard.matches_by_folds(&name), "{:?} {:?}", text, name);
        }
    }
}
