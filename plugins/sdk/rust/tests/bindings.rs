//! The bindings in `src/bindings/` are generated, and checked in so that a plugin builds in a second and without the generator.
//! This test generates them again and compares. `LEASEHOLD_UPDATE_BINDINGS=1 cargo test -p leasehold-plugin` writes them.
#![expect(clippy::unwrap_used, reason = "all of this is a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use wit_bindgen_core::wit_parser::{PackageId, Resolve};
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::{Opts, WithOption};

#[test]
fn the_bindings_are_those_of_the_wit_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut differing = Vec::new();
    for (name, text) in generated(&root.join("../../../wit")) {
        let path = root.join("src/bindings").join(name);
        if std::env::var_os("LEASEHOLD_UPDATE_BINDINGS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default() != text {
            differing.push(path);
        }
    }
    assert_eq!(
        differing,
        Vec::<PathBuf>::new(),
        "run: LEASEHOLD_UPDATE_BINDINGS=1 cargo test -p leasehold-plugin"
    );
}

/// The part of WASI that a program with exit codes needs and Rust's library does not offer.
const EXIT_CODES: &str = "package leasehold:sdk; world exit-codes { import wasi:cli/exit@0.2.12; }";

fn generated(wit: &Path) -> BTreeMap<&'static str, String> {
    let plugin = |world: &str, with: Vec<(String, WithOption)>| {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(wit.join("0.1")).unwrap();
        generate(resolve, package, world, with)
    };
    let shared = |interface: &str| {
        let module = format!("crate::bindings::gate_plugin::leasehold::plugin::{interface}");
        (
            format!("leasehold:plugin/{interface}@0.1.0"),
            WithOption::Path(module),
        )
    };
    let mut wasi = Resolve::default();
    wasi.push_dir(wit.join("wasi")).unwrap();
    let program = wasi.push_str("exit-codes.wit", EXIT_CODES).unwrap();
    BTreeMap::from([
        ("gate_plugin.rs", plugin("gate-plugin", Vec::new())),
        // Both worlds import the same two interfaces; one set of types serves both.
        (
            "adapter_plugin.rs",
            plugin("adapter-plugin", vec![shared("host"), shared("workspace")]),
        ),
        (
            "exit_codes.rs",
            generate(wasi, program, "exit-codes", Vec::new()),
        ),
    ])
}

fn generate(
    mut resolve: Resolve,
    package: PackageId,
    world: &str,
    with: Vec<(String, WithOption)>,
) -> String {
    let world_id = resolve.select_world(&[package], Some(world)).unwrap();
    let module = world.replace('-', "_");
    let options = Opts {
        format: true,
        with,
        generate_all: true,
        generate_unused_types: true,
        pub_export_macro: true,
        export_macro_name: Some(format!("export_{module}")),
        default_bindings_module: Some(format!("leasehold_plugin::bindings::{module}")),
        additional_derive_attributes: vec!["PartialEq".to_owned()],
        additional_derive_ignore: vec!["walk".to_owned()],
        ..Opts::default()
    };
    let mut files = Files::default();
    options
        .build()
        .generate(&mut resolve, world_id, &mut files)
        .unwrap();
    let (_, bytes) = files.iter().next().unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}
