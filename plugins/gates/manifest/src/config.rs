//! The configuration.

use leasehold_plugin::gate::{Error, Subject};
use leasehold_plugin::pattern::Pattern;
use manifest_list::{Selection, check_path};
use serde::Deserialize;

/// Which list, of which files. A value of this type is consistent.
#[derive(Debug)]
pub(crate) struct Config {
    /// The directory that the list is about, as a prefix: empty, or ended by `/`.
    root: String,
    /// The list, relative to the root.
    pub(crate) file: String,
    pub(crate) selection: Selection,
    /// Files that must be there, relative to the root.
    pub(crate) required: Vec<String>,
    /// Whether the right list is attached where it is another.
    pub(crate) attach: bool,
    /// The most findings that are listed.
    pub(crate) max_findings: usize,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    file: Option<String>,
    root: Option<String>,
    include: Option<Vec<Pattern>>,
    exclude: Option<Vec<Pattern>>,
    forbidden: Option<Vec<Pattern>>,
    #[serde(default)]
    required: Vec<String>,
    attach: Option<bool>,
    max_findings: Option<usize>,
}

impl Config {
    /// Reads the configuration of a call. None at all means the defaults.
    pub(crate) fn from_subject(subject: &Subject) -> Result<Self, Error> {
        let written: Option<Written> = subject.configuration()?;
        Self::new(written.unwrap_or_default()).map_err(Error::Config)
    }

    fn new(written: Written) -> Result<Self, String> {
        let root = match written.root.as_deref() {
            None | Some("") => String::new(),
            Some(root) => format!("{}/", plain(root)?),
        };
        // The root becomes part of patterns, where these would mean something else.
        if root.contains(['*', '?']) {
            return Err(format!("the root {root:?} has a * or a ?"));
        }
        let file = written.file.unwrap_or_else(|| "manifest.txt".to_owned());
        plain(&file)?;
        for path in &written.required {
            plain(path)?;
        }
        let everything = Selection::everything()?;
        let selection = Selection {
            include: written.include.unwrap_or(everything.include),
            exclude: written.exclude.unwrap_or(everything.exclude),
            forbidden: written.forbidden.unwrap_or(everything.forbidden),
        };
        if selection.include.is_empty() {
            return Err("include is empty: nothing would be judged".to_owned());
        }
        Ok(Self {
            root,
            file,
            selection,
            required: written.required,
            attach: written.attach.unwrap_or(true),
            max_findings: written.max_findings.unwrap_or(500),
        })
    }

    /// The list, from the root of the workspace.
    pub(crate) fn list_path(&self) -> String {
        self.in_workspace(&self.file)
    }

    /// A path of the list, from the root of the workspace.
    pub(crate) fn in_workspace(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// The patterns of what is looked at, from the root of the workspace.
    pub(crate) fn include(&self) -> Vec<String> {
        let patterns = self.selection.include.iter();
        patterns
            .map(|pattern| self.in_workspace(pattern.as_str()))
            .collect()
    }

    /// The path from the root of the list, when the list is about it. The list is not about itself.
    pub(crate) fn concerns<'a>(&self, path: &'a str) -> Option<&'a str> {
        let path = path.strip_prefix(&self.root)?;
        (!path.is_empty() && path != self.file && self.selection.covers(path)).then_some(path)
    }
}

fn plain(path: &str) -> Result<&str, String> {
    check_path(path).map_or(Ok(path), |(_, message)| Err(message))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn read(config: &str) -> Result<Config, Error> {
        Config::from_subject(&Subject {
            config: config.to_owned(),
            changed: None,
            inputs: Vec::new(),
        })
    }

    #[test]
    fn paths_are_relative_to_the_root() {
        let config = read("null").unwrap();
        assert_eq!(config.list_path(), "manifest.txt");
        assert_eq!(config.include(), ["**"]);
        assert_eq!(config.concerns("a/b"), Some("a/b"));
        assert_eq!(config.concerns("manifest.txt"), None);

        let config = read(
            r#"{"root":"dist/x","file":"a.sums","include":["lib/**"],"exclude":["lib/tmp/**"]}"#,
        )
        .unwrap();
        assert_eq!(config.list_path(), "dist/x/a.sums");
        assert_eq!(config.include(), ["dist/x/lib/**"]);
        assert_eq!(config.concerns("dist/x/lib/a"), Some("lib/a"));
        for path in [
            "lib/a",
            "dist/x",
            "dist/xlib/a",
            "dist/x/lib/tmp/a",
            "dist/x/a.sums",
            "dist/x/b",
        ] {
            assert_eq!(config.concerns(path), None, "{path}");
        }
    }

    #[test]
    fn a_configuration_that_makes_no_sense_is_refused() {
        for (config, word) in [
            (r#"{"root":"/dist"}"#, "absolute"),
            (r#"{"root":"../dist"}"#, "upwards"),
            (r#"{"root":"d*"}"#, "a *"),
            (r#"{"root":"dist/"}"#, "empty"),
            (r#"{"file":"a/../b"}"#, "upwards"),
            (r#"{"file":""}"#, "no path"),
            (r#"{"include":[]}"#, "include is empty"),
            (r#"{"required":["C:/x"]}"#, "drive"),
            (r#"{"files":"x"}"#, "files"),
        ] {
            match read(config) {
                Err(Error::Config(text)) => assert!(text.contains(word), "{config}: {text}"),
                other => panic!("{config}: {other:?}"),
            }
        }
    }
}
