//! Paths that no library has looked at: the C library knows which paths lie under a root and keeps others from the host. Here they
//! go to the host as they are, relative to the first root.

use crate::report::{Failure, Report};

type Attempt = Result<Report, Failure>;

/// Opens a file for reading, following symlinks, and reads at most 64 KiB.
pub(crate) fn read(path: &str) -> Attempt {
    let mut buffer = vec![0; 65_536];
    let descriptor = system::open(path, false)?;
    let count = system::read(descriptor, &mut buffer)?;
    Ok(Report::new()
        .number("bytes", count as u64)
        .text("text", &String::from_utf8_lossy(&buffer[..count])))
}

/// Makes or empties a file, following symlinks, and writes to it.
pub(crate) fn write(path: &str, text: &str) -> Attempt {
    let descriptor = system::open(path, true)?;
    let count = system::write(descriptor, text.as_bytes())?;
    Ok(Report::new().number("bytes", count as u64))
}

/// WASI 0.1 (`wasi_snapshot_preview1`), which the adapter in the component turns into WASI 0.2.
#[cfg(target_os = "wasi")]
#[expect(unsafe_code, reason = "these functions have no safe form")]
mod system {
    use crate::report::Failure;

    const FIRST_ROOT: i32 = 3;
    const FOLLOW: i32 = 1;
    const CREATE_AND_TRUNCATE: u16 = 1 | 8;
    const RIGHT_TO_READ: u64 = 1 << 1;
    const RIGHT_TO_WRITE: u64 = 1 << 6;

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn path_open(
            root: i32,
            lookup: i32,
            path: *const u8,
            path_length: usize,
            open: u16,
            rights: u64,
            inherited: u64,
            flags: u16,
            descriptor: *mut i32,
        ) -> u16;
        fn fd_read(descriptor: i32, pieces: *const Piece, count: usize, done: *mut usize) -> u16;
        fn fd_write(descriptor: i32, pieces: *const Piece, count: usize, done: *mut usize) -> u16;
    }

    #[repr(C)]
    struct Piece {
        start: *const u8,
        length: usize,
    }

    pub(super) fn open(path: &str, write: bool) -> Result<i32, Failure> {
        let (how, rights) = if write {
            (CREATE_AND_TRUNCATE, RIGHT_TO_WRITE)
        } else {
            (0, RIGHT_TO_READ)
        };
        let mut descriptor = -1;
        // SAFETY: pointer and length are those of one string; the result goes to a variable of its type.
        check(unsafe {
            path_open(
                FIRST_ROOT,
                FOLLOW,
                path.as_ptr(),
                path.len(),
                how,
                rights,
                0,
                0,
                &raw mut descriptor,
            )
        })?;
        Ok(descriptor)
    }

    pub(super) fn read(descriptor: i32, buffer: &mut [u8]) -> Result<usize, Failure> {
        let piece = Piece {
            start: buffer.as_mut_ptr(),
            length: buffer.len(),
        };
        let mut done = 0;
        // SAFETY: one piece, which is the buffer; the result goes to a variable of its type.
        check(unsafe { fd_read(descriptor, &raw const piece, 1, &raw mut done) })?;
        Ok(done)
    }

    pub(super) fn write(descriptor: i32, bytes: &[u8]) -> Result<usize, Failure> {
        let piece = Piece {
            start: bytes.as_ptr(),
            length: bytes.len(),
        };
        let mut done = 0;
        // SAFETY: one piece, which is the bytes; the result goes to a variable of its type.
        check(unsafe { fd_write(descriptor, &raw const piece, 1, &raw mut done) })?;
        Ok(done)
    }

    fn check(number: u16) -> Result<(), Failure> {
        match number {
            0 => Ok(()),
            number => Err(std::io::Error::from_raw_os_error(i32::from(number)).into()),
        }
    }
}

/// Elsewhere there is no such host.
#[cfg(not(target_os = "wasi"))]
mod system {
    use crate::report::Failure;

    pub(super) fn open(_path: &str, _write: bool) -> Result<i32, Failure> {
        Err(Failure::named("ENOSYS"))
    }

    pub(super) fn read(_descriptor: i32, _buffer: &mut [u8]) -> Result<usize, Failure> {
        Err(Failure::named("ENOSYS"))
    }

    pub(super) fn write(_descriptor: i32, _bytes: &[u8]) -> Result<usize, Failure> {
        Err(Failure::named("ENOSYS"))
    }
}
