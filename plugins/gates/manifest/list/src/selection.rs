//! Which files a list is about.

use leasehold_plugin::pattern::{Pattern, any_matches};

/// What tools leave behind and no release should hold.
pub const CACHES: [&str; 10] = [
    "**/__pycache__/**",
    "**/*.pyc",
    "**/.pytest_cache/**",
    "**/.mypy_cache/**",
    "**/.ruff_cache/**",
    "**/node_modules/**",
    "**/.cache/**",
    "**/.DS_Store",
    "**/Thumbs.db",
    "**/desktop.ini",
];

/// Which files a list is about, by patterns relative to its root.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Files that it is about.
    pub include: Vec<Pattern>,
    /// Files among them that it is not about.
    pub exclude: Vec<Pattern>,
    /// Files among the rest that must not be there.
    pub forbidden: Vec<Pattern>,
}

impl Selection {
    /// Everything; what [`CACHES`] names must not be there.
    ///
    /// # Errors
    /// Never: the patterns are well formed.
    pub fn everything() -> Result<Self, String> {
        Ok(Self {
            include: vec![Pattern::parse("**")?],
            exclude: Vec::new(),
            forbidden: patterns(&CACHES)?,
        })
    }

    /// Whether the list is about this path.
    pub fn covers(&self, path: &str) -> bool {
        any_matches(&self.include, path) && !any_matches(&self.exclude, path)
    }

    /// Whether this path must not be there.
    pub fn forbids(&self, path: &str) -> bool {
        any_matches(&self.forbidden, path)
    }
}

fn patterns(texts: &[&str]) -> Result<Vec<Pattern>, String> {
    texts.iter().map(|text| Pattern::parse(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_excluded_is_not_covered() {
        let selection = Selection {
            include: patterns(&["a/**"]).unwrap(),
            exclude: patterns(&["a/b/**"]).unwrap(),
            ..Selection::everything().unwrap()
        };
        assert!(selection.covers("a/c") && !selection.covers("a/b/c") && !selection.covers("d"));
        assert!(selection.forbids("a/__pycache__/x.pyc") && selection.forbids("node_modules"));
        assert!(!selection.forbids("a/pycache"));
    }
}
