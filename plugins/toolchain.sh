#!/bin/sh
# Makes a private Rust toolchain for wasm32-wasip2 out of Debian packages, for machines whose rustup cannot fetch that target.
# It needs Debian 12, apt, cargo, about 1.5 GB while it works and one minute. It needs no root and changes nothing outside its folder.
#
#   usage: plugins/toolchain.sh [--force]      prints the folder; the compiler is FOLDER/bin/rustc, for C FOLDER/bin/clang
#
# The folder is ${XDG_CACHE_HOME:-$HOME/.cache}/leasehold/wasm-toolchain, or $LEASEHOLD_WASM_TOOLCHAIN. A finished toolchain is
# left as it is; FOLDER/versions says what it was made of. Deleting the folder is always safe.
set -eu

# Goes up whenever this script makes something else than before, so that older folders are made anew.
recipe=1
target=wasm32-wasip2
rust_packages="rustc-web libstd-rust-web-dev libstd-rust-web-1.96 rust-web-src rust-web-llvm"
llvm_packages="libllvm22 lld-22 clang-22 libclang-cpp22 libclang-common-22-dev libclang-rt-22-dev-wasm32"
# The wasi-libc of Debian 12 is of 2022: its allocator overwrites the state of the preview1 adapter, which ends in traps at random
# places. So this one package comes from Debian 13; it is data for the linker and depends on nothing.
libc_packages="wasi-libc"

folder=${LEASEHOLD_WASM_TOOLCHAIN:-${XDG_CACHE_HOME:-$HOME/.cache}/leasehold/wasm-toolchain}

say() { echo "toolchain: $*" >&2; }
die() { say "$1"; [ -z "${2:-}" ] || say "hint: $2"; exit 1; }

main() {
    if [ "${1:-}" != --force ] && [ "$(cat "$folder/recipe" 2>/dev/null)" = "$recipe" ]; then
        echo "$folder"
        return
    fi
    need_debian_12
    mkdir -p "$(dirname "$folder")"
    # Everything is made in a folder next to the final one and moved at the end: there is never a half toolchain in place.
    work=$(mktemp -d "$folder.making-XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
    fetch_packages
    arrange_sysroot
    write_wrappers
    build_std
    mv "$work/packages/versions" "$work/made/versions"
    echo "$recipe" > "$work/made/recipe"
    rm -rf "$folder"
    mv "$work/made" "$folder"
    say "ready: $("$folder/bin/rustc" -V) in $folder"
    echo "$folder"
}

need_debian_12() {
    advice="where rustup can fetch targets, 'rustup target add $target' is all that is needed"
    [ "$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")" = bookworm ] || die "this recipe is for Debian 12" "$advice"
    [ "$(dpkg --print-architecture)" = amd64 ] || die "this recipe is for x86-64" "$advice"
    for tool in apt-get dpkg cargo; do
        command -v "$tool" > /dev/null || die "$tool is missing" "$advice"
    done
}

# apt with lists and cache of our own; proxies and the like still come from the system's settings.
private_apt() {
    apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$work/packages/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/packages/lists" -o Dir::Cache="$work/packages/cache" "$@"
}

fetch_packages() {
    mkdir -p "$work/packages/lists/partial" "$work/packages/cache/archives/partial" "$work/packages/tree" "$work/made"
    # The mirrors are those the system is set up with; what they send is checked against Debian's archive key.
    mirrors=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | sort -u)
    main_mirror=$(echo "$mirrors" | sed -n 's/ bookworm$//p' | head -n 1)
    security_mirror=$(echo "$mirrors" | sed -n 's/ bookworm-security$//p' | head -n 1)
    [ -n "$main_mirror" ] && [ -n "$security_mirror" ] || die "the apt sources name no mirror for bookworm and bookworm-security"
    key='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
    say "fetching compiler, linker and C library"
    cd "$work/packages"
    printf 'deb %s %s bookworm main\n' "$key" "$main_mirror" > sources.list
    printf 'deb %s %s bookworm-security main\n' "$key" "$security_mirror" >> sources.list
    private_apt update
    # shellcheck disable=SC2086  # lists of names
    private_apt download $rust_packages $llvm_packages
    printf 'deb %s %s trixie main\n' "$key" "$main_mirror" > sources.list
    private_apt update
    # shellcheck disable=SC2086
    private_apt download $libc_packages
    for package in *.deb; do
        dpkg-deb -f "$package" Package Version | paste -sd ' ' | sed 's/Package: //; s/Version: //' >> versions
        dpkg-deb -x "$package" tree
    done
    cd /
}

# rustc wants rustup's layout: tools and self-contained objects in lib/rustlib, shared libraries in lib.
arrange_sysroot() {
    root=$work/made/sysroot
    mkdir -p "$root"
    for part in bin include lib src; do mv "$work/packages/tree/usr/$part" "$root/$part"; done
    for library in "$root"/lib/x86_64-linux-gnu/librustc_driver-*.so "$root"/lib/x86_64-linux-gnu/lib*LLVM*.so* \
        "$root"/lib/x86_64-linux-gnu/libclang-cpp*.so* "$root"/lib/llvm-22/lib/libLLVM*.so*; do
        if [ -e "$library" ]; then ln -sf "${library#"$root/lib/"}" "$root/lib/${library##*/}"; fi
    done
    objects=$root/lib/rustlib/$target/lib/self-contained
    mkdir -p "$objects"
    for object in libc.a crt1-command.o crt1-reactor.o; do cp "$root/lib/wasm32-wasi/$object" "$objects/"; done
    tools=$root/lib/rustlib/x86_64-unknown-linux-gnu/bin
    mkdir -p "$tools/gcc-ld"
    ln -sf ../../../llvm-22/bin/lld "$tools/rust-lld"
    ln -sf ../../../../llvm-22/bin/lld "$tools/gcc-ld/wasm-ld"
    # Debian's clang looks for its linker under this name, next to itself.
    ln -sf lld "$root/lib/llvm-22/bin/wasm-ld-22"
}

write_wrappers() {
    mkdir -p "$work/made/bin"
    write_wrapper rustc '"$root/bin/rustc"'
    # clang finds headers and libraries for wasm32-wasip1 by itself, once it knows the root.
    write_wrapper clang '"$root/lib/llvm-22/bin/clang" --sysroot="$root"'
}

# A small script, so that the folder can be moved: it finds its libraries from where it stands.
write_wrapper() {
    cat > "$work/made/bin/$1" << WRAPPER
#!/bin/sh
root=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")/sysroot
LD_LIBRARY_PATH=\$root/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec $2 "\$@"
WRAPPER
    chmod +x "$work/made/bin/$1"
}

# The packages carry no std for this target; it is built once, from the packages' own sources, and put where rustc looks.
build_std() {
    say "building the standard library for $target with $("$work/made/bin/rustc" -V)"
    mkdir -p "$work/std/src"
    : > "$work/std/src/lib.rs"
    cat > "$work/std/Cargo.toml" << 'MANIFEST'
[package]
name = "standard-library"
version = "0.0.0"
edition = "2021"

[workspace]

[profile.release]
panic = "abort"
opt-level = "s"
codegen-units = 1
MANIFEST
    (
        cd "$work/std"
        # -Zbuild-std is what needs the bootstrap variable; guests are then built without it.
        export RUSTC="$work/made/bin/rustc" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$work/std/target"
        RUSTFLAGS="-Cembed-bitcode=yes --remap-path-prefix=$(readlink -f "$work/made/sysroot/lib/rustlib/src/rust")=/rustc/std"
        RUSTFLAGS="$RUSTFLAGS --remap-path-prefix=$work/made/sysroot/lib/rustlib/src/rust=/rustc/std"
        RUSTFLAGS="$RUSTFLAGS --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$work=/toolchain"
        export RUSTFLAGS
        cargo build --quiet --release -Zbuild-std=std,panic_abort --target $target
        cp target/$target/release/deps/*.rlib "$work/made/sysroot/lib/rustlib/$target/lib/"
        rm -f "$work/made/sysroot/lib/rustlib/$target"/lib/libstandard_library-*
    )
}

main "$@"
