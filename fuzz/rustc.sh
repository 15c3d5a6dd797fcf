#!/bin/sh
# Stands between cargo and rustc (RUSTC_WRAPPER) and adds LLVM's coverage counters, which stable rustc can be told to put
# in: the flags are those of `cargo fuzz build --sanitizer none`. Left without are build scripts and macros, for which
# cargo gives no --target, and cryptography: no fuzzer guesses a signature, and counting slows it down many times.
set -eu
rustc=$1
shift
case " $* " in
*' --crate-name build_script_'* | *' --crate-name curve25519_dalek '* | *' --crate-name ed25519_dalek '* | \
    *' --crate-name hmac '* | *' --crate-name keccak '* | *' --crate-name ml_dsa '* | *' --crate-name module_lattice '* | \
    *' --crate-name sha2 '* | *' --crate-name sha3 '*) ;;
*' --target '*)
    set -- "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0
    ;;
esac
exec "$rustc" "$@"
