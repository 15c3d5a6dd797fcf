//! The fast way to read: whole files by path, without descriptors of the guest's own.

use std::fs::File;
use std::sync::atomic::Ordering;

use leasehold_lease::RelPath;
use leasehold_seal::Digest;

use crate::error::{FsError, Kind, Wanted};
use crate::memo::is_same;
use crate::reads::{Delivery, Told};
use crate::resolve::{ends_as_dir, host};
use crate::sys::{self, Access, Meta, Type};
use crate::view::{Known, Turn, View};

/// The file that was read last, kept open since its next piece is the likeliest thing to be asked for.
pub(crate) struct Hot {
    path: RelPath,
    file: File,
    meta: Meta,
}

impl View {
    /// Reads at most `max` bytes of the file at a path from the root. The second value says that the end was reached;
    /// fewer than `max` bytes come only then. A link is followed where the call may see the link, and the rights are
    /// those of the path it leads to.
    ///
    /// # Errors
    /// [`Kind::Access`] for whatever the rules hide, whether it is there or not; [`Kind::NoEntry`];
    /// [`Kind::IsDirectory`]; [`Kind::Changed`] when it is not the file that this call saw there before.
    pub fn read_path(
        &self,
        path: &str,
        offset: u64,
        max: usize,
    ) -> Result<(Vec<u8>, bool), FsError> {
        self.act(|turn| {
            let hot = turn.hot_file(path)?;
            let read = turn.read_bytes(&hot.file, &hot.path, &hot.meta, offset, max);
            if matches!(&read, Ok((_, false))) {
                turn.state.hot = Some(hot);
            }
            read
        })
    }

    /// SHA-256 of the whole file at a path from the root, and its length in bytes.
    ///
    /// # Errors
    /// Those of [`View::read_path`].
    pub fn digest_path(&self, path: &str) -> Result<(Digest, u64), FsError> {
        self.act(|turn| {
            let Hot { path, file, meta } = turn.hot_file(path)?;
            let ended = || turn.shared.revoked.load(Ordering::Acquire);
            let memo = turn.shared.tree.memo();
            let found = memo.of_range(&file, 0, meta.size, ended);
            turn.shared.check_revoked()?;
            let found = found.map_err(|errno| host(errno, &path))?;
            let Some((now, digest)) = found.filter(|(now, _)| is_same(&meta, now)) else {
                return Err(FsError::plain(Kind::Changed, &path));
            };
            let delivery = Delivery {
                offset: 0,
                len: now.size,
                bytes: &[],
                told: Told::Size(now.size),
                digest: Some(digest),
            };
            turn.state.reads.delivered(&path, &delivery, true);
            Ok((digest, now.size))
        })
    }
}

impl Turn<'_> {
    /// The regular file at a path from the root, open for reading and the same as before.
    fn hot_file(&mut self, text: &str) -> Result<Hot, FsError> {
        if let Some(mut hot) = self.state.hot.take()
            && hot.path.as_str() == text
        {
            hot.meta = sys::meta_of(&hot.file).map_err(|errno| host(errno, &hot.path))?;
            let known = self.known(&hot.path);
            self.check_unchanged(&hot.path, known, &hot.meta)?;
            return Ok(hot);
        }
        let root = RelPath::root();
        let plain = match self.plain_path(&root, text, Wanted::Read)? {
            Some((path, known)) if !ends_as_dir(text) => self
                .open_plain(&path, known)
                .map(|(file, meta)| (path, known, file, meta)),
            _ => None,
        };
        let (path, known, file, meta) = match plain {
            Some(found) => found,
            None => {
                let (path, file, meta) = self.open_walked(&root, text)?;
                let known = self.known(&path);
                (path, known, file, meta)
            }
        };
        self.check_unchanged(&path, known, &meta)?;
        #[cfg(all(debug_assertions, target_os = "linux"))]
        self.second_opinion(
            &path,
            &file,
            Access {
                read: true,
                write: false,
            },
        );
        self.opened_file(&path, &meta);
        Ok(Hot { path, file, meta })
    }

    fn open_walked(
        &mut self,
        root: &RelPath,
        text: &str,
    ) -> Result<(RelPath, File, Meta), FsError> {
        for _ in 0..ATTEMPTS {
            let place = self.resolve(root, text, true, Wanted::Read)?;
            let found = self.there(&place)?;
            match found.kind {
                Type::File => {}
                Type::Directory => return Err(FsError::plain(Kind::IsDirectory, &place.path)),
                _ => return Err(self.refuse(&place.path, Wanted::Read, crate::error::FILE_TYPE)),
            }
            if let Some((file, meta)) = self.open_at_place(
                &place,
                Access {
                    read: true,
                    write: false,
                },
            )? {
                return Ok((place.path, file, meta));
            }
        }
        Err(FsError::new(
            Kind::Changed,
            "FILE-CHANGED",
            format!("{text}: it keeps changing while it is opened"),
        ))
    }

    /// Whether a file is still the one that this call saw at its path; remembers it.
    fn check_unchanged(
        &mut self,
        path: &RelPath,
        known: Known,
        meta: &Meta,
    ) -> Result<(), FsError> {
        match known.seen {
            Some(seen)
                if seen.id != meta.id
                    || seen.size != meta.size
                    || seen.modified != meta.modified =>
            {
                Err(FsError::plain(Kind::Changed, path))
            }
            Some(_) => Ok(()),
            None => {
                self.saw(path, *meta);
                Ok(())
            }
        }
    }
}

/// How often an entry that changes while it is opened is looked at again.
const ATTEMPTS: u32 = 8;
