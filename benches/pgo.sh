#!/usr/bin/env bash
# Builds Samovar with a profile of where it spends its time, so that the compiler knows which branches are taken and which calls are hot.
#
#   benches/pgo.sh                         builds target/pgo/samovar
#   benches/pgo.sh compare PLAIN PROFILED  cold preheats by both programs in turn: the medians of their seconds
#
# SAMOVAR_PGO_SOURCE (and SAMOVAR_PGO_SYMBOLS, all when left out): a source that is preheated too, and that `compare` preheats; the
# built-in sample market alone says nothing about a server. A source on the machine itself is best: a network hides everything else.
# SAMOVAR_PGO_ALL=1 profiles the dependencies as well, which builds all of them twice, in folders of their own.
# SAMOVAR_PGO_PROFILE: another profile of Cargo.toml than `release`. Needs `rustup component add llvm-tools`.
set -euo pipefail
cd "$(dirname "$0")/.."

folder="$PWD/target/pgo"
source_url="${SAMOVAR_PGO_SOURCE:-sample:}"
symbols="${SAMOVAR_PGO_SYMBOLS:-all}"
profile="${SAMOVAR_PGO_PROFILE:-release}"
export SAMOVAR_CONFIG="$folder/settings.toml" XDG_DATA_HOME="$folder/data"
mkdir -p "$folder"

if [ "${1:-}" = compare ]; then
  [ $# -eq 3 ] || { sed -n '2,6p' "$0" >&2; exit 64; }
  exec python3 - "$2" "$3" "$source_url" "$symbols" "$folder/cache" <<'PYTHON'
import json, shutil, statistics, subprocess, sys

plain, profiled, source, symbols, cache = sys.argv[1:]
seconds = {plain: [], profiled: []}
for _ in range(8):
    for program, taken in seconds.items():
        shutil.rmtree(cache, ignore_errors=True)
        command = [program, "preheat", "--source", source, "--symbols", symbols, "--cache-dir", cache, "--json", "-q"]
        taken.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["seconds"])
for program, taken in seconds.items():
    # The first run of each brings files and tables into memory.
    stages = {stage: round(statistics.median(run[stage] for run in taken[1:]), 3) for stage in ("total", "fetch", "compute", "write")}
    print(program, stages)
PYTHON
fi

merge="$(dirname "$(rustc --print target-libdir)")/bin/llvm-profdata"
[ -x "$merge" ] || { echo "llvm-profdata is missing; rustup component add llvm-tools" >&2; exit 1; }

# Only Samovar's own crate, with what of its dependencies is compiled into it, is built anew: cargo keeps what a wrapper made apart
# from what is there without it. The wrapper's name tells cargo when the flags or the profile are others.
build() {
  local name="$1" flags="$2" target="$PWD/target"
  if [ "${SAMOVAR_PGO_ALL:-}" = 1 ]; then
    target="$folder/target-$name"
    RUSTFLAGS="${RUSTFLAGS:-} $flags" cargo build --profile "$profile" --bin samovar --target-dir "$target" >&2
  else
    printf '#!/bin/sh\nexec "$@" %s\n' "$flags" > "$folder/rustc-$name"
    chmod +x "$folder/rustc-$name"
    RUSTC_WORKSPACE_WRAPPER="$folder/rustc-$name" cargo build --profile "$profile" --bin samovar --target-dir "$target" >&2
  fi
  echo "$target/${profile/#dev/debug}/samovar"
}

# What users do most: cold preheats, one that finds all fresh, one that asks about everything, reading back.
load() {
  local samovar="$1" source="$2" symbols="$3" cache="$folder/cache"
  for _ in 1 2 3; do
    rm -rf "$cache"
    "$samovar" preheat --source "$source" --symbols "$symbols" --set classic --set alpha158 --cache-dir "$cache" -q > /dev/null
  done
  for way in "" --check --features-only; do
    "$samovar" preheat --source "$source" --symbols "$symbols" --cache-dir "$cache" -q $way > /dev/null
  done
  "$samovar" verify --cache-dir "$cache" > /dev/null
  "$samovar" status --cache-dir "$cache" --json > /dev/null
  local one
  one="$(find "$cache/bars-v1" -name '*.parquet' -print -quit)"
  one="$(basename "$one" .parquet)"
  for format in csv parquet arrow; do
    "$samovar" get "$one" --set classic --cache-dir "$cache" --source "$source" --format "$format" --output "$folder/rows" > /dev/null
  done
}

rm -rf "$folder/raw"
instrumented="$(build generate "-Cprofile-generate=$folder/raw")"
load "$instrumented" sample: all
[ "$source_url" = sample: ] || load "$instrumented" "$source_url" "$symbols"
"$merge" merge -o "$folder/samovar.profdata" "$folder/raw"
sum="$(sha256sum "$folder/samovar.profdata" | cut -c1-12)"
mv "$folder/samovar.profdata" "$folder/$sum.profdata"
profiled="$(build "use-$sum" "-Cprofile-use=$folder/$sum.profdata")"
cp "$profiled" "$folder/samovar"
rm -rf "$folder/raw" "$folder/cache" "$folder/rows"
echo "$folder/samovar"
