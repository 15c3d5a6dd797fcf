//! The plugins that come along in the binary: those of `plugins/prebuilt` that pipelines are made of.

use leasehold_seal::Digest;

/// A plugin in the binary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Builtin {
    /// The name it goes by.
    pub(crate) name: &'static str,
    /// Its bytes.
    pub(crate) bytes: &'static [u8],
}

impl Builtin {
    /// SHA-256 of its bytes.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.bytes)
    }
}

macro_rules! prebuilt {
    ($($name:literal),* $(,)?) => {
        [$(Builtin {
            name: $name,
            bytes: include_bytes!(concat!("../../../plugins/prebuilt/", $name, ".wasm")),
        }),*]
    };
}

/// All of them, by name.
pub(crate) const ALL: [Builtin; 14] = prebuilt![
    "changelog",
    "conflict-markers",
    "fetch",
    "file-ops",
    "json-schema",
    "large-file",
    "license-header",
    "manifest",
    "manifest-write",
    "md-links",
    "md-toc",
    "search",
    "secrets",
    "structure-lock",
];

/// The one with this name.
pub(crate) fn named(name: &str) -> Option<Builtin> {
    ALL.into_iter().find(|builtin| builtin.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_stand_in_the_order_of_their_names_and_are_plugins() {
        assert!(ALL.is_sorted_by_key(|builtin| builtin.name));
        for builtin in ALL {
            let facts = leasehold_sandbox::inspect(builtin.bytes).unwrap();
            assert_eq!(facts.manifest.unwrap().name, builtin.name);
        }
    }
}
