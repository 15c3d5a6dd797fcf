//! Paths inside a workspace: relative, normalised, UTF-8.

use std::fmt;

use leasehold_seal::{Class, Coded};

/// The longest path that is accepted, in bytes (Linux `PATH_MAX`).
pub const MAX_PATH_BYTES: usize = 4_096;

/// A path below the root of a workspace.
///
/// Components are separated by `/`; none is empty, `.` or `..`, and none contains NUL. A `RelPath` that exists
/// therefore never leads out of the root by its text alone; symbolic links are the business of the file view.
/// Text is kept exactly as given: no case folding, no Unicode normalisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath {
    /// The components joined by `/`; empty for the root.
    text: String,
}

impl RelPath {
    /// The root itself: no component at all.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads a path; the empty text is the root.
    ///
    /// # Errors
    /// [`PathError`] when the text is absolute, has an empty, `.` or `..` component, contains NUL, or is longer than
    /// [`MAX_PATH_BYTES`].
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        if text.len() > MAX_PATH_BYTES {
            return Err(PathError::TooLong { bytes: text.len() });
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute);
        }
        text.split('/').try_for_each(check_component)?;
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// The components from the root downwards; none for the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        // `split` yields one empty piece for the empty text; no other path has an empty piece.
        self.text
            .split('/')
            .filter(|component| !component.is_empty())
    }

    /// This path followed by the components of `relative`.
    ///
    /// # Errors
    /// [`PathError`] when `relative` is not a path of its own or the result is too long.
    pub fn join(&self, relative: &str) -> Result<Self, PathError> {
        let below = Self::parse(relative)?;
        if below.is_root() {
            return Ok(self.clone());
        }
        if self.is_root() {
            return Ok(below);
        }
        let bytes = self.text.len() + 1 + below.text.len();
        if bytes > MAX_PATH_BYTES {
            return Err(PathError::TooLong { bytes });
        }
        Ok(Self {
            text: format!("{}/{}", self.text, below.text),
        })
    }

    /// This path followed by exactly one component.
    ///
    /// # Errors
    /// [`PathError`] when `name` is not one valid component or the result is too long.
    pub fn child(&self, name: &str) -> Result<Self, PathError> {
        check_component(name)?;
        if name.contains('/') {
            return Err(PathError::Separator);
        }
        self.join(name)
    }

    /// The directory that holds this path; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let text = self.text.rsplit_once('/').map_or("", |(parent, _)| parent);
        Some(Self {
            text: text.to_owned(),
        })
    }

    /// The last component; `None` for the root.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.components().next_back()
    }

    /// Whether `prefix` is this path or a directory above it, component by component.
    #[must_use]
    pub fn starts_with(&self, prefix: &RelPath) -> bool {
        match self.text.strip_prefix(prefix.text.as_str()) {
            Some(rest) => prefix.is_root() || rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.text.is_empty()
    }

    /// The components joined by `/`; empty for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The path as text; the root is shown as `.`.
impl fmt::Display for RelPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_root() { "." } else { &self.text })
    }
}

/// Why a text is not a path inside a workspace. Code `PATH-FORMAT`, class refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// The text starts with `/`.
    #[error("the path is absolute")]
    Absolute,
    /// Two slashes in a row, or a slash at the end.
    #[error("the path has an empty component")]
    EmptyComponent,
    /// A component is `.` or `..`.
    #[error("the path has a component `{0}`")]
    Dots(String),
    /// The text contains NUL.
    #[error("the path contains a NUL character")]
    Nul,
    /// One component was wanted, but the text contains `/`.
    #[error("the name contains a slash")]
    Separator,
    /// Longer than [`MAX_PATH_BYTES`].
    #[error("the path has {bytes} bytes, the most is {MAX_PATH_BYTES}")]
    TooLong {
        /// Length found, in bytes.
        bytes: usize,
    },
}

impl Coded for PathError {
    fn code(&self) -> &'static str {
        "PATH-FORMAT"
    }

    fn class(&self) -> Class {
        Class::Refused
    }

    fn hint(&self) -> Option<String> {
        Some("paths are relative to the workspace, for example docs/guide.md".to_owned())
    }
}

/// Checks one component (which may contain no `/` by the way it was obtained).
fn check_component(component: &str) -> Result<(), PathError> {
    match component {
        "" => Err(PathError::EmptyComponent),
        "." | ".." => Err(PathError::Dots(component.to_owned())),
        _ if component.contains('\0') => Err(PathError::Nul),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    #[test]
    fn root_has_no_components() {
        assert_eq!(path(""), RelPath::root());
        assert_eq!(RelPath::root().components().count(), 0);
        assert_eq!(RelPath::root().to_string(), ".");
        assert_eq!(RelPath::root().parent(), None);
    }

    #[test]
    fn bad_paths_and_their_good_twins() {
        assert_eq!(RelPath::parse("/a"), Err(PathError::Absolute));
        assert_eq!(RelPath::parse("/"), Err(PathError::Absolute));
        assert_eq!(RelPath::parse("a//b"), Err(PathError::EmptyComponent));
        assert_eq!(RelPath::parse("a/"), Err(PathError::EmptyComponent));
        assert_eq!(RelPath::parse("a/./b"), Err(PathError::Dots(".".into())));
        assert_eq!(
            RelPath::parse("docs/../../etc/x"),
            Err(PathError::Dots("..".into()))
        );
        assert_eq!(RelPath::parse("a\0b"), Err(PathError::Nul));
        assert_eq!(
            RelPath::parse(&"a".repeat(4_097)),
            Err(PathError::TooLong { bytes: 4_097 })
        );
        for good in [
            "a",
            "a/b",
            "...",
            "..a/b.",
            "a b/c",
            "é/ü",
            &"a".repeat(4_096),
        ] {
            assert_eq!(path(good).as_str(), good);
        }
    }

    #[test]
    fn joins_and_parents() {
        let docs = RelPath::root().join("docs").unwrap();
        let guide = docs.join("en/guide.md").unwrap();
        assert_eq!(guide.as_str(), "docs/en/guide.md");
        assert_eq!(guide.file_name(), Some("guide.md"));
        assert_eq!(guide.parent().unwrap().as_str(), "docs/en");
        assert_eq!(docs.parent(), Some(RelPath::root()));
        assert_eq!(docs.join("").unwrap(), docs);
        assert_eq!(docs.join("../x"), Err(PathError::Dots("..".into())));
        assert_eq!(
            docs.join(&"a".repeat(4_095)),
            Err(PathError::TooLong { bytes: 4_100 })
        );
        assert_eq!(docs.child("x").unwrap().as_str(), "docs/x");
        assert_eq!(docs.child("x/y"), Err(PathError::Separator));
        assert_eq!(docs.child(""), Err(PathError::EmptyComponent));
    }

    #[test]
    fn starts_with_goes_by_component() {
        assert!(path("docs/a").starts_with(&path("docs")));
        assert!(path("docs").starts_with(&path("docs")));
        assert!(path("docs").starts_with(&RelPath::root()));
        assert!(!path("docs2/a").starts_with(&path("docs")));
        assert!(!path("doc").starts_with(&path("docs")));
        assert!(!RelPath::root().starts_with(&path("docs")));
    }
}
