//! Build tool: turns the text form of WebAssembly into bytes. `assemble IN.wat OUT.wasm`

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        return Err("usage: assemble IN.wat OUT.wasm".into());
    };
    fs::write(to, wat::parse_file(Path::new(from))?)?;
    Ok(())
}
