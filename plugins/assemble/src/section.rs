//! Custom sections, which may stand anywhere at the top level of a module or component.

use wasmparser::{BinaryReaderError, Parser, Payload};

/// The bytes with a custom section after them. A file that has one of this name already, or is no WebAssembly, is refused.
pub(crate) fn append(mut wasm: Vec<u8>, name: &str, content: &[u8]) -> Result<Vec<u8>, String> {
    if !of(&wasm, name)
        .map_err(|error| error.to_string())?
        .is_empty()
    {
        return Err(format!("there is a section {name} already"));
    }
    let mut section = length(name.len())?;
    section.extend_from_slice(name.as_bytes());
    section.extend_from_slice(content);
    wasm.push(0);
    wasm.extend_from_slice(&length(section.len())?);
    wasm.extend_from_slice(&section);
    Ok(wasm)
}

/// The contents of the custom sections of this name at the top level.
pub(crate) fn of<'a>(wasm: &'a [u8], name: &str) -> Result<Vec<&'a [u8]>, BinaryReaderError> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 && section.name() == name => {
                found.push(section.data());
            }
            _ => {}
        }
    }
    Ok(found)
}

/// LEB128, unsigned.
fn length(count: usize) -> Result<Vec<u8>, String> {
    let mut rest = u32::try_from(count).map_err(|_| "the section is too large".to_owned())?;
    let mut bytes = Vec::new();
    loop {
        let low = (rest & 0x7f) as u8;
        rest >>= 7;
        if rest == 0 {
            bytes.push(low);
            return Ok(bytes);
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "leasehold:manifest";

    #[test]
    fn a_section_is_appended_once_to_modules_and_components() {
        for text in ["(module)", "(component)", "(component (core module))"] {
            for size in [0, 1, 127, 128, 20_000] {
                let content = vec![b'x'; size];
                let wasm = append(wat::parse_str(text).unwrap(), NAME, &content).unwrap();
                assert_eq!(of(&wasm, NAME).unwrap(), [&content[..]]);
                assert!(append(wasm, NAME, b"").is_err());
            }
        }
        assert!(append(b"no wasm".to_vec(), NAME, b"").is_err());
    }

    #[test]
    fn sections_of_inner_modules_are_not_those_of_the_component() {
        let text = r#"(component (core module (@custom "leasehold:manifest" "inner")))"#;
        assert!(of(&wat::parse_str(text).unwrap(), NAME).unwrap().is_empty());
    }
}
