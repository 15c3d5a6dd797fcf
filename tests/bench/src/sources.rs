//! A repository to judge: the same one in every run, and one that ten gates find nothing wrong with.
//!
//! Row 4 only counts lines, so any bytes do there. Gates look closer: for names of keys, markers of conflicts, links, schemas. So
//! these files look like what people write, with words such as `token` and `password` as often as programs have them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use leasehold_seal::Digest;

/// Folders, each with [`FILES_IN_FOLDER`] files.
const FOLDERS: usize = 120;
const FILES_IN_FOLDER: usize = 50;
/// The mean length of a file in bytes: together about 90 MB.
const MEAN: usize = 15_000;

/// Documents in the folder `docs`, and the mean length of one in bytes. (A file in `src` is three times as long: pages are read by
/// people.)
const DOCUMENTS: usize = 20;
const DOCUMENT: usize = 5_000;

/// A changelog in the form that the gate `changelog` wants.
const CHANGELOG: &str =
    "# Changelog\n\n## [Unreleased]\n\n## [1.0.0] - 2026-01-31\n\n### Added\n\n- Everything.\n";

/// The extension of each file of a folder, in turn: much code, some of the rest.
const EXTENSIONS: [&str; 10] = [
    "rs", "py", "rs", "ts", "md", "rs", "go", "txt", "rs", "json",
];

const WORDS: [&str; 48] = [
    "accept", "buffer", "cache", "client", "config", "count", "cursor", "decode", "default",
    "digest", "element", "encode", "entry", "error", "field", "filter", "folder", "handle",
    "header", "index", "input", "item", "key", "length", "limit", "lines", "message", "name",
    "number", "offset", "output", "parse", "password", "path", "pattern", "reader", "record",
    "request", "response", "secret", "session", "state", "stream", "token", "update", "value",
    "window", "writer",
];

/// Makes a repository in a folder: 6,000 files of 90 MB in `src`, or a tenth of them, with their manifest; pages in `docs`, which link
/// to each other; a changelog.
pub(crate) fn make(folder: &Path, quick: bool) -> io::Result<()> {
    let source = folder.join("src");
    let folders = if quick { FOLDERS / 10 } else { FOLDERS };
    for outer in 0..folders {
        let within = source.join(format!("part-{:02}/folder-{outer:03}", outer % 12));
        fs::create_dir_all(&within)?;
        for inner in 0..FILES_IN_FOLDER {
            // Sizes come in pairs that add up to twice the mean; each extension has small files and large ones.
            let step = 2 * MEAN * (inner / 2) / (FILES_IN_FOLDER / 2);
            let size = if inner % 2 == 0 {
                step
            } else {
                2 * MEAN - step
            };
            let extension = EXTENSIONS[(inner + inner / EXTENSIONS.len()) % EXTENSIONS.len()];
            let mut text = Text::new(outer * FILES_IN_FOLDER + inner);
            text.file(extension, size);
            fs::write(
                within.join(format!("file-{inner:02}.{extension}")),
                text.written,
            )?;
        }
    }
    let documents = folder.join("docs");
    fs::create_dir_all(&documents)?;
    for number in 0..DOCUMENTS {
        let mut text = Text::new(number);
        text.prose(DOCUMENT);
        fs::write(documents.join(page(number)), text.written)?;
    }
    fs::write(source.join("manifest.txt"), manifest(&source)?)?;
    fs::write(folder.join("CHANGELOG.md"), CHANGELOG)
}

/// The manifest of a folder, in the form that the gate `manifest` wants.
fn manifest(folder: &Path) -> io::Result<String> {
    let mut paths = Vec::new();
    for part in files(folder)? {
        let path = part.strip_prefix(folder).unwrap_or(&part);
        paths.push((path.to_string_lossy().into_owned(), part));
    }
    paths.sort();
    let mut lines = String::new();
    for (path, file) in paths {
        let digest = Digest::of(&fs::read(file)?);
        lines.push_str(&format!("{}  {path}\n", digest.hex()));
    }
    Ok(lines)
}

/// All files below a folder, each folder in the order of its names.
pub(crate) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut found = Vec::new();
    for entry in entries {
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn page(number: usize) -> String {
    format!("page-{number:02}.md")
}

/// A text under way.
struct Text {
    state: u32,
    written: String,
}

impl Text {
    fn new(seed: usize) -> Self {
        Text {
            state: seed as u32,
            written: String::new(),
        }
    }

    /// A number below `bound`, which is at most 65,536.
    fn below(&mut self, bound: u32) -> u32 {
        // The generator of `tree`: its upper bits are good enough.
        self.state = self
            .state
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.state >> 16) % bound
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len() as u32) as usize]
    }

    /// Words with this between them.
    fn words(&mut self, count: u32, between: &str) {
        for at in 0..count {
            if at > 0 {
                self.written.push_str(between);
            }
            let word = self.word();
            self.written.push_str(word);
        }
    }

    /// About `size` bytes of this kind.
    fn file(&mut self, extension: &str, size: usize) {
        match extension {
            "json" => self.json(size),
            "md" => self.prose(size),
            "txt" => self.paragraphs(size),
            "py" => self.code("# ", size),
            _ => self.code("// ", size),
        }
    }

    fn json(&mut self, size: usize) {
        self.written.push_str("{\"entries\": [");
        let mut between = "\n";
        while self.written.len() < size {
            self.written.push_str(between);
            between = ",\n";
            self.written.push_str("  {\"name\": \"");
            self.words(3, "-");
            let count = self.below(1000);
            self.written.push_str(&format!("\", \"count\": {count}}}"));
        }
        self.written.push_str("\n]}\n");
    }

    /// A page with links to those in `docs`.
    fn prose(&mut self, size: usize) {
        self.written.push_str("# About ");
        self.words(3, " ");
        self.written.push_str("\n\n");
        while self.written.len() < size {
            self.words(40, " ");
            let other = page(self.below(DOCUMENTS as u32) as usize);
            self.written
                .push_str(&format!("; see [the other](/docs/{other}).\n\n"));
        }
    }

    fn paragraphs(&mut self, size: usize) {
        while self.written.len() < size {
            let count = 5 + self.below(10);
            self.words(count, " ");
            self.written.push_str(".\n");
        }
    }

    fn code(&mut self, comment: &str, size: usize) {
        self.written
            .push_str(&format!("{comment}SPDX-License-Identifier: MIT\n\n"));
        while self.written.len() < size {
            match self.below(8) {
                0 => self.line(comment, 8, " ", "\n"),
                1 => self.line("    let ", 2, " = ", ".next();\n"),
                2 => self.line("    if ", 2, ".", "() {\n"),
                3 => self.line("        return ", 2, "(", ");\n    }\n"),
                4 => self.line("    ", 2, " = environment[\"", "\"];\n"),
                5 => self.line("fn ", 3, "_", "(input: &str) {\n"),
                6 => self.line("    ", 3, ".", "(&self.input, 16)?;\n"),
                _ => self.line("}\n\n/// ", 6, " ", ".\n"),
            }
        }
    }

    fn line(&mut self, before: &str, count: u32, between: &str, after: &str) {
        self.written.push_str(before);
        self.words(count, between);
        self.written.push_str(after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_has_a_tenth_of_the_files_and_about_a_tenth_of_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), true).unwrap();
        let count = bench_work::Count::tree(&folder.path().join("src")).unwrap();
        assert_eq!(count.files, 601, "{count:?}");
        assert!((8_900_000..9_300_000).contains(&count.bytes), "{count:?}");
    }

    #[test]
    fn the_same_file_has_the_same_text() {
        let text = |seed| {
            let mut text = Text::new(seed);
            text.file("rs", 500);
            text.written
        };
        assert_eq!(text(7), text(7));
        assert_ne!(text(7), text(8));
    }
}
