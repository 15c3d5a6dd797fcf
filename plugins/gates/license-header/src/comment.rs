//! The comments with which a file begins.

use serde::Deserialize;

/// How a kind of file writes comments, named by how one begins.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub(crate) enum Style {
    /// C++, Rust, Go and their like. Comments as in C are read as well.
    #[serde(rename = "//")]
    Slashes,
    /// Shells, Python, TOML.
    #[serde(rename = "#")]
    Hash,
    /// SQL, Lua, Ada.
    #[serde(rename = "--")]
    Dashes,
    /// Lisp, assembler, INI. `;;` is the same.
    #[serde(rename = ";")]
    Semicolon,
    /// TeX, Erlang. `%%` is the same.
    #[serde(rename = "%")]
    Percent,
    /// Vim script.
    #[serde(rename = "\"")]
    Quote,
    /// C and CSS, to `*/`.
    #[serde(rename = "/*")]
    Stars,
    /// XML, HTML and Markdown, to `-->`.
    #[serde(rename = "<!--")]
    Xml,
    /// Haskell, to `-}`. Lines with `--` are read as well.
    #[serde(rename = "{-")]
    Braces,
    /// OCaml and Pascal, to `*)`.
    #[serde(rename = "(*")]
    Parens,
}

/// How one comment is delimited.
enum Delimiter {
    /// To the end of the line.
    Line(&'static str),
    /// To the second mark.
    Block(&'static str, &'static str),
}

/// One line of text in a comment, without what marks it as comment.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Text<'a> {
    pub(crate) text: &'a str,
    /// Line in the file, from 1.
    pub(crate) line: u32,
}

impl Style {
    /// What is usual for a file of this name.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let extension = name
            .rsplit_once('.')
            .map_or(name, |(_, extension)| extension);
        Some(match extension.to_ascii_lowercase().as_str() {
            "rs" | "c" | "h" | "cc" | "cpp" | "cxx" | "hh" | "hpp" | "m" | "mm" | "cs" | "java"
            | "kt" | "kts" | "scala" | "go" | "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts"
            | "cts" | "tsx" | "swift" | "dart" | "zig" | "php" | "proto" | "scss" | "less"
            | "groovy" | "gradle" | "v" | "sv" | "wit" | "sol" | "json5" | "jsonc" | "fs" => {
                Self::Slashes
            }
            "py" | "pyi" | "sh" | "bash" | "zsh" | "fish" | "rb" | "pl" | "pm" | "r" | "toml"
            | "yaml" | "yml" | "cmake" | "mk" | "makefile" | "dockerfile" | "tf" | "hcl"
            | "nix" | "ex" | "exs" | "jl" | "ps1" | "awk" | "tcl" | "rego" | "gitignore"
            | "gitattributes" | "editorconfig" | "cfg" | "conf" | "properties" | "bzl"
            | "bazel" | "graphql" => Self::Hash,
            "sql" | "lua" | "adb" | "ads" | "vhd" | "vhdl" | "elm" => Self::Dashes,
            "lisp" | "cl" | "el" | "clj" | "cljs" | "scm" | "rkt" | "asm" | "ini" | "wat"
            | "wast" | "ll" => Self::Semicolon,
            "tex" | "sty" | "cls" | "bib" | "erl" | "hrl" => Self::Percent,
            "vim" => Self::Quote,
            "css" => Self::Stars,
            "xml" | "html" | "htm" | "xhtml" | "svg" | "md" | "markdown" | "vue" | "svelte"
            | "xsd" | "xsl" | "xslt" | "csproj" | "fsproj" | "vbproj" | "props" | "targets"
            | "plist" => Self::Xml,
            "hs" => Self::Braces,
            "ml" | "mli" | "pas" => Self::Parens,
            _ => return None,
        })
    }

    fn delimiters(self) -> &'static [Delimiter] {
        use Delimiter::{Block, Line};
        match self {
            Self::Slashes => &[Line("//"), Block("/*", "*/")],
            Self::Hash => &[Line("#")],
            Self::Dashes => &[Line("--")],
            Self::Semicolon => &[Line(";")],
            Self::Percent => &[Line("%")],
            Self::Quote => &[Line("\"")],
            Self::Stars => &[Block("/*", "*/")],
            Self::Xml => &[Block("<!--", "-->")],
            Self::Braces => &[Block("{-", "-}"), Line("--")],
            Self::Parens => &[Block("(*", "*)")],
        }
    }
}

/// The text of the comments before anything else, line by line. What has to come first in some files is passed over: a byte order
/// mark, `#!`, an XML prolog or document type, `<?php`, and a line that says the encoding.
pub(crate) fn leading(content: &str, style: Style) -> Vec<Text<'_>> {
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let mut lines = Lines::new(content);
    let mut texts = Vec::new();
    while let Some((number, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || is_preamble(line, number) {
            continue;
        }
        let Some((delimiter, rest)) = style.delimiters().iter().find_map(|it| opened(it, line))
        else {
            break;
        };
        match delimiter {
            Delimiter::Line(mark) => {
                // `;;` and `%%` are as good as one.
                let rest = if mark.len() == 1 {
                    rest.trim_start_matches(mark)
                } else {
                    rest
                };
                texts.push(Text {
                    text: spaced(rest),
                    line: number,
                });
            }
            Delimiter::Block(_, close) => {
                if !block(rest, close, number, &mut lines, &mut texts) {
                    break;
                }
            }
        }
    }
    texts
}

/// Reads a block comment to its end; false when something follows on its last line, so that the comments have ended.
fn block<'a>(
    first: &'a str,
    close: &str,
    number: u32,
    lines: &mut Lines<'a>,
    texts: &mut Vec<Text<'a>>,
) -> bool {
    let mut current = (number, first);
    let before = texts.len();
    loop {
        let (number, line) = current;
        let (inside, after) = match line.split_once(close) {
            Some((inside, after)) => (inside, Some(after)),
            None => (line, None),
        };
        let text = unstarred(inside, close);
        // The lines with the marks may hold nothing else.
        let bare = text.is_empty() && (std::ptr::eq(line, first) || after.is_some());
        if !bare {
            texts.push(Text { text, line: number });
        }
        if let Some(after) = after {
            return after.trim().is_empty();
        }
        match lines.next() {
            Some((number, line)) => current = (number, line.trim()),
            None => {
                // A comment without an end is not one.
                texts.truncate(before);
                return false;
            }
        }
    }
}

/// Without the column of stars that many block comments have, and without the stars of a frame.
fn unstarred<'a>(line: &'a str, close: &str) -> &'a str {
    if !close.starts_with('*') {
        return line.trim();
    }
    let line = line.trim();
    spaced(line.trim_start_matches('*'))
        .trim_end_matches('*')
        .trim_end()
}

/// Without the space after the mark.
fn spaced(text: &str) -> &str {
    text.strip_prefix(' ').unwrap_or(text).trim_end()
}

fn opened<'a>(
    delimiter: &'static Delimiter,
    line: &'a str,
) -> Option<(&'static Delimiter, &'a str)> {
    let (Delimiter::Line(mark) | Delimiter::Block(mark, _)) = delimiter;
    Some((delimiter, line.strip_prefix(mark)?))
}

fn is_preamble(line: &str, number: u32) -> bool {
    let starts = |start: &str| {
        line.get(..start.len())
            .is_some_and(|text| text.eq_ignore_ascii_case(start))
    };
    // PEP 263: the encoding stands on one of the first two lines.
    let encoding = number <= 2
        && line.starts_with('#')
        && (line.contains("coding:") || line.contains("coding="));
    (number == 1 && line.starts_with("#!"))
        || encoding
        || starts("<?xml")
        || starts("<!doctype")
        || line == "<?php"
        || starts("@charset")
}

/// Lines with their numbers, from 1, without line ends of either kind.
struct Lines<'a> {
    inner: std::str::Lines<'a>,
    number: u32,
}

impl<'a> Lines<'a> {
    fn new(content: &'a str) -> Self {
        Self {
            inner: content.lines(),
            number: 0,
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (u32, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.inner.next()?;
        self.number = self.number.saturating_add(1);
        Some((self.number, line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(content: &str, style: Style) -> Vec<(u32, &str)> {
        leading(content, style)
            .into_iter()
            .map(|text| (text.line, text.text))
            .collect()
    }

    #[test]
    fn the_kinds_of_comments_are_read() {
        let expected = [(1, "one"), (2, "two")];
        for (content, style) in [
            ("// one\n// two\ncode // three\n", Style::Slashes),
            ("//one\r\n//two\r\ncode\r\n", Style::Slashes),
            ("# one\n# two\ncode # three\n", Style::Hash),
            ("-- one\n-- two\nselect", Style::Dashes),
            (";; one\n; two\n(code)", Style::Semicolon),
            ("%% one\n% two\n\\code", Style::Percent),
            ("\" one\n\" two\nlet x = 1", Style::Quote),
            ("/* one\n * two */\ncode", Style::Stars),
            ("/* one */\n/* two */\ncode", Style::Slashes),
            ("/* one */\n// two\ncode", Style::Slashes),
            ("<!-- one\n     two -->\n<code/>", Style::Xml),
            ("{- one\n   two -}\ncode", Style::Braces),
            ("(* one\n * two *)\ncode", Style::Parens),
            ("\u{feff}// one\n// two\n", Style::Slashes),
        ] {
            assert_eq!(texts(content, style), expected, "{content}");
        }
    }

    #[test]
    fn frames_and_bare_marks_hold_no_text() {
        for content in [
            "/*\n * one\n */\n",
            "/**\n * one\n **/\n",
            "/*********\n * one   *\n *********/\n",
        ] {
            assert_eq!(texts(content, Style::Slashes), [(2, "one")], "{content}");
        }
        assert_eq!(
            texts("/*\n * one\n *\n * two\n */", Style::Stars),
            [(2, "one"), (3, ""), (4, "two")]
        );
    }

    #[test]
    fn what_has_to_come_first_is_passed_over() {
        for (content, style) in [
            ("#!/bin/sh\n# one\n", Style::Hash),
            ("# -*- coding: utf-8 -*-\n# one\n", Style::Hash),
            ("<?xml version=\"1.0\"?>\n<!-- one -->\n", Style::Xml),
            ("<!DOCTYPE html>\n<!-- one -->\n", Style::Xml),
            ("<?php\n// one\n", Style::Slashes),
            ("#!/usr/bin/env node\n// one\n", Style::Slashes),
            ("@charset \"utf-8\";\n/* one */", Style::Stars),
        ] {
            assert_eq!(texts(content, style), [(2, "one")], "{content}");
        }
        assert_eq!(
            texts("#!/bin/sh\n# coding=utf-8\n\n# one", Style::Hash),
            [(4, "one")]
        );
    }

    #[test]
    fn comments_after_code_do_not_count() {
        for content in [
            "code\n// one\n",
            "/* */ code\n// one\n",
            "code /* one */",
            "x\n/* one */",
            "/* one\ncode",
            "",
            "\n\n",
        ] {
            assert_eq!(texts(content, Style::Slashes), [], "{content}");
        }
        // Only the first line can be for the kernel.
        assert_eq!(texts("\n#!one\n", Style::Hash), [(2, "!one")]);
    }

    #[test]
    fn styles_go_by_the_extension_or_the_whole_name() {
        assert_eq!(Style::of("a/b.RS"), Some(Style::Slashes));
        assert_eq!(Style::of("a/Makefile"), Some(Style::Hash));
        assert_eq!(Style::of("a.rs/LICENSE"), None);
        assert_eq!(Style::of("a.json"), None);
    }
}
