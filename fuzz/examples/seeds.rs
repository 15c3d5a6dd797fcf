//! Writes the seeds of every target to `FOLDER/TARGET/`.

use std::error::Error;
use std::fs;
use std::path::Path;

use leasehold_seal::Digest;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: seeds FOLDER")?;
    for (target, bytes) in leasehold_fuzz::seeds::all() {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder)?;
        // Named by content, so that starting again adds nothing.
        let name = format!("seed-{}", &Digest::of(&bytes).hex()[..16]);
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
