//! The current version, out of a `Cargo.toml` or a `package.json`.

use leasehold_plugin::gate::Error;
use semver::Version;
use serde::Deserialize;
use toml_edit::Document;

/// Reads the version out of a file whose name says what it is. A file without a version blocks: nothing can be judged by it.
pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Version, Error> {
    let blocked = |reason: String| Error::Blocked(format!("{path}: {reason}"));
    let text = std::str::from_utf8(bytes).map_err(|_| blocked("it is not UTF-8".to_owned()))?;
    let version = if path.ends_with(".json") {
        package(text)
    } else {
        cargo(text)
    }
    .map_err(blocked)?;
    Version::parse(&version)
        .map_err(|error| blocked(format!("{version:?} is not a semantic version: {error}")))
}

/// The version of the package, or where the workspace gives it, that of the workspace in the same file.
fn cargo(text: &str) -> Result<String, String> {
    let document = Document::parse(text).map_err(|error| error.message().to_owned())?;
    let package = document.get("package");
    let version = match package {
        Some(package) => package.get("version"),
        None => None,
    };
    if let Some(version) = version.and_then(|version| version.as_str()) {
        return Ok(version.to_owned());
    }
    let inherits = version
        .and_then(|version| version.get("workspace"))
        .and_then(|it| it.as_bool())
        == Some(true);
    if package.is_some() && !inherits {
        return Err("the package has no version".to_owned());
    }
    document
        .get("workspace")
        .and_then(|workspace| workspace.get("package"))
        .and_then(|package| package.get("version"))
        .and_then(|version| version.as_str())
        .map(str::to_owned)
        .ok_or_else(|| {
            "the version is that of a workspace: name the Cargo.toml of the workspace".to_owned()
        })
}

fn package(text: &str) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Package {
        version: Option<String>,
    }
    let package: Package = serde_json::from_str(text).map_err(|error| error.to_string())?;
    package
        .version
        .ok_or_else(|| "it has no version".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found() {
        for (path, text) in [
            (
                "Cargo.toml",
                "[package]\nname = \"x\"\nversion = \"1.2.3\" # now\n",
            ),
            ("a/Cargo.toml", "package = { version = '1.2.3' }"),
            ("Cargo.toml", "[workspace.package]\nversion = \"1.2.3\"\n"),
            (
                "Cargo.toml",
                "[package]\nversion.workspace = true\n[workspace.package]\nversion = \"1.2.3\"\n",
            ),
            ("package.json", "{\"name\":\"x\",\"version\":\"1.2.3\"}"),
        ] {
            assert_eq!(
                read(path, text.as_bytes()).unwrap(),
                Version::new(1, 2, 3),
                "{text}"
            );
        }
    }

    #[test]
    fn a_file_without_a_version_blocks() {
        for (path, text, word) in [
            (
                "Cargo.toml",
                "[package]\nversion.workspace = true\n",
                "workspace",
            ),
            (
                "Cargo.toml",
                "[package]\nname = \"x\"\n[workspace.package]\nversion = \"1.0.0\"",
                "no version",
            ),
            (
                "Cargo.toml",
                "[dependencies]\nversion = \"1.2.3\"",
                "workspace",
            ),
            ("Cargo.toml", "[package]\nversion = \"1.2\"", "semantic"),
            ("Cargo.toml", "[package", "Cargo.toml"),
            ("Cargo.toml", "\u{0}", "Cargo.toml"),
            ("package.json", "{}", "no version"),
            ("package.json", "{\"version\":1}", "string"),
            ("package.json", "", "EOF"),
        ] {
            match read(path, text.as_bytes()) {
                Err(Error::Blocked(message)) => {
                    assert!(message.contains(word), "{text}: {message}")
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(matches!(
            read("Cargo.toml", b"\xff"),
            Err(Error::Blocked(_))
        ));
    }
}
