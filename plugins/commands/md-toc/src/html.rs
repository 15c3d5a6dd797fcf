//! HTML blocks, as in CommonMark 0.31 section 4.6: Markdown is not read in them.

/// Where an HTML block ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// Before the next empty line.
    Blank,
    /// With the line in which this stands.
    With(&'static str),
}

/// Elements whose content is taken as it is.
const VERBATIM: [(&str, &str); 4] = [
    ("pre", "</pre>"),
    ("script", "</script>"),
    ("style", "</style>"),
    ("textarea", "</textarea>"),
];

/// Elements that begin a block to the next empty line.
const BLOCKS: &str = " address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl dt \
    fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link main menu menuitem \
    nav noframes ol optgroup option p param search section summary table tbody td tfoot th thead title tr track ul ";

/// Whether a line, without its indentation, begins a block that can stand within a paragraph, and where that block ends.
pub(crate) fn opens(text: &str) -> Option<End> {
    let rest = text.strip_prefix('<')?;
    for (start, end) in [("!--", "-->"), ("?", "?>"), ("![CDATA[", "]]>"), ("!", ">")] {
        if rest.starts_with(start) {
            return Some(End::With(end));
        }
    }
    let name = rest.strip_prefix('/').unwrap_or(rest);
    let length = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (name, after) = name.split_at(length);
    let name = name.to_ascii_lowercase();
    if !(after.is_empty() || after.starts_with([' ', '\t', '>']) || after.starts_with("/>")) {
        return None;
    }
    if let Some((_, end)) = VERBATIM.iter().find(|(verbatim, _)| *verbatim == name)
        && !rest.starts_with('/')
    {
        return Some(End::With(end));
    }
    (!name.is_empty() && BLOCKS.contains(&format!(" {name} "))).then_some(End::Blank)
}

impl End {
    /// Whether a block ends with this line.
    pub(crate) fn is_in(self, text: &str) -> bool {
        match self {
            Self::Blank => text.trim().is_empty(),
            Self::With(end) => text.to_ascii_lowercase().contains(end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_told_from_other_angle_brackets() {
        assert_eq!(opens("<!-- x"), Some(End::With("-->")));
        assert_eq!(opens("<PRE class=x>"), Some(End::With("</pre>")));
        assert_eq!(opens("<details>"), Some(End::Blank));
        assert_eq!(opens("</div>"), Some(End::Blank));
        for text in [
            "<https://example.com>",
            "<b>bold</b>",
            "<a@example.com>",
            "< div>",
            "<",
            "text",
            "<h7>",
            "<divx>",
        ] {
            assert_eq!(opens(text), None, "{text}");
        }
    }
}
