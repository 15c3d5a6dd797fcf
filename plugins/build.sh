#!/bin/sh
# Builds every plugin and writes plugins/prebuilt: the components and plugins.lock, which says what each was made of and with what.
#
#   usage: plugins/build.sh            rebuild prebuilt/
#          plugins/build.sh --check [DIR] rebuild into a temporary folder and compare with prebuilt/; DIR gets what was rebuilt of those
#                                      whose bytes cannot be compared
#          plugins/build.sh --into DIR rebuild into DIR (CI tests what was rebuilt)
#          plugins/build.sh --sources  check only that prebuilt/ was made of the sources as they are now; needs no toolchain
#          plugins/build.sh --test     format, lints and unit tests of the sources, on this machine
#
# Needs cargo, and a std for wasm32-wasip2: rustup's where it is installed, else the one that toolchain.sh makes. The same toolchain
# makes the same bytes, wherever the checkout lies. Plugins in JavaScript need node and npm besides, and no two builds of them have the
# same bytes: prebuilt/ keeps the one it has until its sources change, and --check compares what they import, export and say.
set -eu

plugins=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
repository=$(dirname "$plugins")
target=wasm32-wasip2
wat_assembler="wat 1.254.2"

# One line a plugin: name, kind, source folder under plugins/ (several with commas between), file under prebuilt/, how it is built.
catalogue() {
    cat << 'LIST'
changelog       gate     gates/changelog        changelog.wasm             rust
conflict-markers gate    gates/conflict-markers conflict-markers.wasm      rust
fetch           command  commands/fetch         fetch.wasm                 rust
file-ops        command  commands/file-ops      file-ops.wasm              rust
hello           command  commands/hello         hello.wasm                 c
json-schema     gate     gates/json-schema      json-schema.wasm           rust
large-file      gate     gates/large-file       large-file.wasm            rust
license-header  gate     gates/license-header   license-header.wasm        rust
manifest        gate     gates/manifest         manifest.wasm              rust
manifest-write  command  commands/manifest-write,gates/manifest/list manifest-write.wasm rust
md-links        gate     gates/md-links         md-links.wasm              js
md-toc          command  commands/md-toc        md-toc.wasm                rust
search          adapter  adapters/search        search.wasm                rust
secrets         gate     gates/secrets          secrets.wasm               rust
structure-lock  gate     gates/structure-lock   structure-lock.wasm        rust
wordcount       command  commands/wordcount     wordcount.wasm             wat
bench-gate      gate     bench                  bench/bench-gate.wasm      rust
bench-program   command  bench                  bench/bench-program.wasm   rust
hostile-adapter adapter  hostile/adapter        hostile/hostile-adapter.wasm rust
hostile-gate    gate     hostile/gate           hostile/hostile-gate.wasm  rust
hostile-http    command  hostile/http,commands/fetch/exchange hostile/hostile-http.wasm rust
probe           command  hostile/probe          hostile/probe.wasm         rust
LIST
    for file in "$plugins"/hostile/wat/*.wat; do
        name=$(basename "$file" .wat)
        echo "$name command hostile/wat/$name.wat hostile/$name.wasm wat"
    done
}

say() { echo "plugins: $*" >&2; }
die() { say "$*"; exit 1; }

main() {
    case "${1:-}" in
        "") build "$plugins/prebuilt" ;;
        --into) [ -n "${2:-}" ] || die "--into needs a folder"; build "$2" ;;
        --check) keep=${2:-}; check ;;
        --sources) check_sources ;;
        --test) test_sources ;;
        *) die "unknown argument $1" ;;
    esac
}

build() {
    out=$1
    mkdir -p "$out/bench" "$out/hostile"
    out=$(CDPATH='' cd -- "$out" && pwd)
    find_compilers
    build_rust
    catalogue > "$out/catalogue"
    while read -r name kind source file way <&3; do
        case $way in
            rust) install_component "$name" "$out/$file" ;;
            c) build_c "$plugins/$source" "$out/$file" ;;
            wat) build_wat "$plugins/$source" "$out/$file" ;;
            js) build_js "$name" "$plugins/$source" "$out/$file" ;;
        esac
        chmod 644 "$out/$file"
        clean "$out/$file"
    done 3< "$out/catalogue"
    rm "$out/catalogue"
    write_lock > "$out/plugins.lock"
}

find_compilers() {
    cargo_home=${CARGO_HOME:-$HOME/.cargo}
    rustc=${RUSTC:-rustc}
    clang=
    [ -z "${WASI_SDK_PATH:-}" ] || clang=$WASI_SDK_PATH/bin/clang
    if ! has_std "$rustc"; then
        toolchain=$("$plugins/toolchain.sh")
        rustc=$toolchain/bin/rustc
        clang=$toolchain/bin/clang
        # What is linked in besides rustc's own libraries decides the bytes as well.
        rust_libc="; $(grep '^wasi-libc ' "$toolchain/versions"); $(grep '^lld-22 ' "$toolchain/versions")"
    fi
    rust_toolchain="$("$rustc" -V)${rust_libc:-}"
    [ -z "$clang" ] || c_toolchain="$("$clang" --version | head -n 1)${rust_libc:-}"
    say "building with $rust_toolchain"
}

has_std() {
    library=$("$1" --print target-libdir --target $target 2> /dev/null) || return 1
    [ -n "$(find "$library" -name 'libstd-*.rlib' 2> /dev/null)" ]
}

build_rust() {
    # Nothing that depends on the machine may get into the bytes: source paths are in the messages of panics.
    separator=$(printf '\037')
    flags="--remap-path-prefix=$plugins=/plugins$separator--remap-path-prefix=$("$rustc" --print sysroot)=/rustc"
    for registry in "$cargo_home"/registry/src/*; do
        flags="$flags$separator--remap-path-prefix=$registry=/crates"
    done
    set --
    for name in $(catalogue | awk '$5 == "rust" { print $1 }'); do set -- "$@" -p "$name"; done
    (
        cd "$plugins"
        # A first build on a machine only knows its registry folder after the fetch.
        cargo fetch --quiet --locked
        env -u RUSTFLAGS RUSTC="$rustc" CARGO_ENCODED_RUSTFLAGS="$flags" CARGO_INCREMENTAL=0 \
            cargo build --quiet --locked --release --target $target "$@"
    )
}

install_component() {
    built=$plugins/target
    [ -z "${CARGO_TARGET_DIR:-}" ] || built=$CARGO_TARGET_DIR
    built=$built/$target/release
    # A library is named after its crate, where `-` has become `_`.
    if [ -e "$built/$1.wasm" ]; then cp "$built/$1.wasm" "$2"; else cp "$built/$(echo "$1" | tr - _).wasm" "$2"; fi
}

build_c() {
    if [ -z "$clang" ]; then
        say "no C compiler for WASI (set WASI_SDK_PATH): $(basename "$2") is not rebuilt"
        [ "$2" -ef "$plugins/prebuilt/$(basename "$2")" ] || cp "$plugins/prebuilt/$(basename "$2")" "$2"
        c_toolchain=$(sed -n 's/.*"name": "hello".*"toolchain": "\([^"]*\)".*/\1/p' "$plugins/prebuilt/plugins.lock")
        return
    fi
    (cd "$1" && "$clang" --target=wasm32-wasip1 -std=c17 -Os -Wall -Wextra -Werror -Wl,--strip-all -o "$2" ./*.c)
}

build_wat() {
    from=$1
    [ ! -d "$1" ] || from=$1/$(basename "$1").wat
    assemble "$from" "$2"
}

assemble() { (cd "$plugins" && cargo run --quiet --locked -p assemble -- "$@"); }

# What runs JavaScript while a component is made decides nothing; what it is made with stands in the plugin's package-lock.json.
build_js() {
    if [ "$out" -ef "$plugins/prebuilt" ] && is_current "$1"; then
        say "$1 is kept: its sources are those of the lock"
        return
    fi
    if ! find_node; then
        # An older component must not get a line in the lock that says it was made of these sources.
        is_current "$1" || die "$1 has changed, and without node and npm of version 18 or later it cannot be built"
        say "no node and npm of version 18 or later: $1 is not rebuilt"
        cp "$plugins/prebuilt/$1.wasm" "$3"
        return
    fi
    install_packages "$2"
    "$packages/node_modules/.bin/componentize-qjs" --js "$2/src/index.js" --module-root "$plugins" --wit "$repository/wit/0.1" \
        --world gate-plugin --sync --opt-size --output "$3" > /dev/null
    assemble --section leasehold:manifest "$2/manifest.json" "$3"
}

# Whether the lock's plugin was made of the sources as they are now, and is the file of the lock.
is_current() {
    entry=$(catalogue | awk -v name="$1" '$1 == name')
    # shellcheck disable=SC2086  # fields of one line
    set -- $entry
    line=$(grep -F "\"name\": \"$1\"," "$plugins/prebuilt/plugins.lock" 2> /dev/null) || return 1
    case $line in *"\"sources\": \"$(source_digest "$3" "$5")\""*) ;; *) return 1 ;; esac
    [ -e "$plugins/prebuilt/$4" ] || return 1
    case $line in *"\"digest\": \"sha256:$(sha256 < "$plugins/prebuilt/$4")\""*) ;; *) return 1 ;; esac
}

# The one on the PATH, or Debian's where it can be installed.
find_node() {
    if ! has_node && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        say "installing Debian's nodejs and npm"
        { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends nodejs npm; } > /dev/null || true
    fi
    has_node || return 1
    say "using node $(node --version) and npm $(npm --version 2> /dev/null)"
}

has_node() {
    command -v npm > /dev/null && command -v node > /dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ]
}

# Exactly what package-lock.json says, checked against its digests, in a folder of the cache that is named by it: the sources stay clean.
install_packages() {
    packages=${XDG_CACHE_HOME:-$HOME/.cache}/leasehold/npm-$(sha256 < "$1/package-lock.json")
    [ ! -e "$packages/ready" ] || return 0
    rm -rf "$packages"
    mkdir -p "$packages"
    cp "$1/package.json" "$1/package-lock.json" "$packages/"
    (cd "$packages" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null)
    touch "$packages/ready"
}

# Fails when a place of this machine is in the bytes.
clean() {
    for place in "$plugins" "$HOME" "$cargo_home" "$(dirname "$rustc")"; do
        [ "$place" != . ] || continue
        if grep -q -F -e "$place/" "$1"; then die "$(basename "$1") contains the path $place"; fi
    done
}

write_lock() {
    printf '{\n  "version": 1,\n  "plugins": ['
    comma=
    catalogue | while read -r name kind source file way; do
        case $way in
            rust) with=$rust_toolchain ;;
            c) with=$c_toolchain ;;
            wat) with=$wat_assembler ;;
            js) with=$(js_componentizer "$plugins/$source") ;;
        esac
        printf '%s\n    {"name": "%s", "version": "%s", "kind": "%s", "file": "%s", "digest": "sha256:%s", "sources": "%s", "toolchain": "%s"}' \
            "$comma" "$name" "$(version_of)" "$kind" "$file" "$(sha256 < "$out/$file")" "$(source_digest "$source" "$way")" "$with"
        comma=,
    done
    printf '\n  ]\n}\n'
}

js_componentizer() { sed -n 's/^ *"componentize-qjs": "\(.*\)".*$/componentize-qjs \1/p' "$1/package.json"; }

# All plugins of this repository go by the version of the plugin workspace.
version_of() { sed -n 's/^version = "\(.*\)"$/\1/p' "$plugins/Cargo.toml" | head -n 1; }

# The sources of a plugin are all files in its folder (or its one file) and what all plugins of its language share; README.md and what
# npm installed do not count. The digest is SHA-256 over one line `<sha256>  <path>` for each, paths relative to the repository, sorted bytewise, LF at the end.
source_digest() {
    case $2 in
        js) shared="plugins/sdk/javascript wit/0.1" ;;
        *) shared="plugins/Cargo.toml plugins/Cargo.lock plugins/sdk/rust/Cargo.toml plugins/sdk/rust/src wit/0.1" ;;
    esac
    (
        cd "$repository"
        # shellcheck disable=SC2046,SC2086  # no source file has a space in its name
        find $(echo "plugins/$1" | sed 's|,| plugins/|g') $shared \
            -type f ! -name README.md | LC_ALL=C sort | while read -r path; do printf '%s  %s\n' "$(sha256 < "$path")" "$path"; done
    ) | echo "sha256:$(sha256)"
}

sha256() { sha256sum | cut -d ' ' -f 1; }

check() {
    fresh=$(mktemp -d)
    trap 'rm -rf "$fresh"' EXIT
    build "$fresh"
    settle_js
    if diff -r "$plugins/prebuilt" "$fresh" > /dev/null; then
        say "prebuilt/ is what these sources and this toolchain make"
        return
    fi
    same_toolchain=yes
    for with in "$rust_toolchain" "$c_toolchain"; do
        grep -q -F "\"$with\"" "$plugins/prebuilt/plugins.lock" || same_toolchain=no
    done
    diff "$plugins/prebuilt/plugins.lock" "$fresh/plugins.lock" >&2 || true
    diff -rq "$plugins/prebuilt" "$fresh" >&2 || true
    [ "$same_toolchain" = no ] || die "prebuilt/ is not what these sources make: run plugins/build.sh"
    say "another toolchain than the lock's makes other bytes; this one is $rust_toolchain"
}

# Plugins in JavaScript have other bytes each time. Where the fresh one imports, exports and says the same as the one of prebuilt/, was
# made of the same sources (the lock has their digest) and is about as large, the latter stands in for it.
settle_js() {
    for file in $(catalogue | awk '$5 == "js" { print $4 }'); do
        ours=$plugins/prebuilt/$file
        [ -e "$ours" ] || die "$file is not in prebuilt/"
        [ "$(assemble --outline "$ours")" = "$(assemble --outline "$out/$file")" ] || die "$file has other imports, exports or another manifest"
        difference=$(($(wc -c < "$ours") - $(wc -c < "$out/$file")))
        [ "${difference#-}" -le 65536 ] || die "$file has another size, by $difference bytes"
        if [ -n "$keep" ]; then mkdir -p "$keep" && cp "$out/$file" "$keep/"; fi
        cp "$ours" "$out/$file"
    done
    write_lock > "$out/plugins.lock"
}

check_sources() {
    catalogue | while read -r name kind source file way; do
        line=$(grep -F "\"name\": \"$name\"," "$plugins/prebuilt/plugins.lock") || die "$name is not in plugins.lock"
        case $line in *"\"sources\": \"$(source_digest "$source" "$way")\""*) ;; *) die "$name was built from other sources: run plugins/build.sh" ;; esac
        case $line in *"\"digest\": \"sha256:$(sha256 < "$plugins/prebuilt/$file")\""*) ;; *) die "$file is not the file of plugins.lock" ;; esac
    done
}

test_sources() {
    cd "$plugins"
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets -- --deny warnings
    cargo test --locked --workspace
    test_js
}

# Unit tests of plugins in JavaScript: they need node alone.
test_js() {
    if ! has_node; then
        say "no node of version 18 or later: the tests of plugins in JavaScript are not run"
        return
    fi
    for source in $(catalogue | awk '$5 == "js" { print $3 }'); do
        node --test "$plugins/$source"/tests/*.test.mjs
    done
}

main "$@"
