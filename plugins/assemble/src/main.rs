//! Build tool for plugins that no compiler makes in one go.
//!
//! - `assemble IN.wat OUT.wasm` turns the text form of WebAssembly into bytes.
//! - `assemble --section NAME CONTENT FILE.wasm` appends a custom section with the content of a file.
//! - `assemble --outline FILE.wasm` prints what a component imports and exports, and its manifest.

mod outline;
mod section;

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--section", name, content, file] => {
            let plugin = section::append(fs::read(file)?, name, &fs::read(content)?)?;
            fs::write(file, plugin)?;
        }
        ["--outline", file] => print!("{}", outline::of(&fs::read(file)?)?),
        [from, to] if !from.starts_with('-') => fs::write(to, wat::parse_file(Path::new(from))?)?,
        _ => {
            let usage = "usage: assemble IN.wat OUT.wasm | --section NAME CONTENT FILE.wasm | --outline FILE.wasm";
            return Err(usage.into());
        }
    }
    Ok(())
}
