#!/bin/sh
# Fuzzes Leasehold's readers and its rules of containment. Needs cargo and a C++ compiler, nothing else: no nightly
# toolchain and no cargo-fuzz.
set -eu

usage() {
    cat <<'END'
usage: fuzz/run.sh [SECONDS] [TARGET…]

Runs every target, or those named, for so many seconds each (20 unless told). The first time it builds for about two
minutes. Ends with one line a target; exits with 1 when anything was found, and says then how to run it again.

  fuzz/run.sh                    20 seconds each
  fuzz/run.sh 600 chain          ten minutes for one
  fuzz/run.sh --list             the targets
  FUZZ_ARGS='-jobs=2 -workers=2' fuzz/run.sh 60
                                 further arguments for libFuzzer

Inputs that reached something new stay in fuzz/corpus/TARGET (git ignores it), so the next run goes on from there; to
begin anew, delete that folder. What a target takes for granted is in fuzz/src/TARGET.rs.
Environment: CARGO, CARGO_TARGET_DIR (fuzz/target unless told), FUZZ_CORPUS (fuzz/corpus), FUZZ_ARGS.
END
}

fuzz=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
all=$(for file in "$fuzz"/fuzz_targets/*.rs; do basename "$file" .rs; done)
seconds=20
case ${1:-} in
-h | --help) usage; exit 0 ;;
--list) printf '%s\n' "$all"; exit 0 ;;
[0-9]*) seconds=$1; shift ;;
esac
case $seconds in
*[!0-9]*) usage >&2; exit 64 ;;
esac
targets=${*:-$all}
for target in $targets; do
    if [ ! -f "$fuzz/fuzz_targets/$target.rs" ]; then
        printf 'no such target: %s\n\n%s\n' "$target" "$all" >&2
        exit 64
    fi
done

cargo=${CARGO:-cargo}
build=${CARGO_TARGET_DIR:-$fuzz/target}
corpus=${FUZZ_CORPUS:-$fuzz/corpus}
artifacts=$fuzz/artifacts
triple=$(rustc -vV | sed -n 's/^host: //p')

echo "building" >&2
CARGO_TARGET_DIR=$build $cargo build --locked --quiet --manifest-path "$fuzz/Cargo.toml" --example seeds
set --
for target in $targets; do
    set -- "$@" --bin "$target"
done
# --target keeps what is fuzzed apart from build scripts and macros, and from the seeds' build.
RUSTC_WRAPPER=$fuzz/rustc.sh CARGO_TARGET_DIR=$build/coverage \
    $cargo build --locked --quiet --release --manifest-path "$fuzz/Cargo.toml" --target "$triple" "$@"
"$build/debug/examples/seeds" "$corpus"

found=0
summary=$(mktemp)
log=$(mktemp)
trap 'rm -f "$summary" "$log"' EXIT
for target in $targets; do
    echo "fuzzing $target for $seconds s" >&2
    mkdir -p "$corpus/$target" "$artifacts/$target"
    result=ok
    # One input may take ten seconds and 2 GiB at most: more is a finding as well.
    # shellcheck disable=SC2086 # FUZZ_ARGS are several words
    "$build/coverage/$triple/release/$target" "$corpus/$target" -artifact_prefix="$artifacts/$target/" \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
        ${FUZZ_ARGS:-} >"$log" 2>&1 || result=FOUND
    if [ "$result" = FOUND ]; then
        found=1
        sed -n '/panicked at/,/^stack backtrace/p; /^SUMMARY/p; /Test unit written/p' "$log" | head -n 20 >&2
        echo "  again: $build/coverage/$triple/release/$target FILE (the file named above; add -minimize_crash=1 -runs=100000 to shrink it)" >&2
    fi
    awk -v target="$target" -v result="$result" '
        / cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") cov = $(i + 1); if ($i == "ft:") ft = $(i + 1); if ($i == "corp:") corp = $(i + 1) } }
        /stat::number_of_executed_units/ { runs = $2 }
        /stat::average_exec_per_sec/ { speed = $2 }
        END { sub("/.*", "", corp); printf "%-16s %10d runs %7d/s  %6d counters %6d features %5d inputs  %s\n", target, runs, speed, cov, ft, corp, result }
    ' "$log" >>"$summary"
done
cat "$summary"
exit $found
