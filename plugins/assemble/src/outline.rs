//! What two builds of one component must have in common where the bytes differ.

use std::collections::BTreeSet;

use wasmparser::{Parser, Payload};

use crate::section;

/// One line for each import and export at the top level, sorted, then the manifest.
pub(crate) fn of(wasm: &[u8]) -> Result<String, String> {
    let fault = |error: wasmparser::BinaryReaderError| error.to_string();
    let mut lines = BTreeSet::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(fault)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    lines.insert(format!("import {}", import.map_err(fault)?.name.name));
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    lines.insert(format!("export {}", export.map_err(fault)?.name.name));
                }
            }
            _ => {}
        }
    }
    let mut outline = String::new();
    for line in lines {
        outline.push_str(&line);
        outline.push('\n');
    }
    for manifest in section::of(wasm, "leasehold:manifest").map_err(fault)? {
        outline.push_str(&String::from_utf8_lossy(manifest));
    }
    Ok(outline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_exports_and_the_manifest_are_named() {
        let text = r#"(component
            (import "b:c/d" (instance $d (export "f" (func))))
            (import "a:c/d@0.1.0" (instance))
            (component (import "inner" (func)))
            (alias export $d "f" (func $f))
            (export "run" (func $f)))"#;
        let wasm = wat::parse_str(text).unwrap();
        let wasm = section::append(wasm, "leasehold:manifest", b"{}\n").unwrap();
        let expected = "export run\nimport a:c/d@0.1.0\nimport b:c/d\n{}\n";
        assert_eq!(of(&wasm).unwrap(), expected);
    }
}
