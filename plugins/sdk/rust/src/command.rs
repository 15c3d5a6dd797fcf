//! Commands: plain programs. They need nothing of this crate; this is for those whose exit codes say more than yes and no.

use std::io::Write;

use crate::bindings::exit_codes::wasi::cli::exit::exit_with_code;

/// Ends the program with an exit code, after flushing standard output.
///
/// `std::process::exit` turns every code but 0 into 1 on targets whose C library goes through WASI 0.1, because the adapter in
/// between knows only success and failure.
pub fn exit(code: u8) -> ! {
    // Nobody is left to hear of an output that nobody takes.
    let _ = std::io::stdout().flush();
    let _ = std::io::stderr().flush();
    if cfg!(target_arch = "wasm32") {
        exit_with_code(code);
    }
    // Reached only where that function is not there: in tests on another machine.
    std::process::exit(i32::from(code))
}
