#!/usr/bin/env bash
# Applies each mutant to a copy of the tree and fails unless the test that it names notices. `run.sh NAME` runs one.
set -euo pipefail
root="$(cd "$(dirname "$0")/../.." && pwd)"
copy="$(mktemp -d)"
trap 'rm -rf "$copy"' EXIT

survived=0
count=0
for mutant in "$root"/tests/mutants/${1:-*}.patch; do
  name="$(basename "$mutant" .patch)"
  read -r package test < <(sed -n '1s/^# caught by: //p' "$mutant")
  rm -rf "${copy:?}/tree"
  mkdir "$copy/tree"
  (cd "$root" && git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- -cf -) | tar -xf - -C "$copy/tree"
  # A file that the mutant before has changed is as old again as it was; cargo must not take it for built.
  (cd "$copy/tree" && sed -n 's|^+++ b/||p' "$root"/tests/mutants/*.patch | sort -u | xargs touch)
  (cd "$copy/tree" && patch --quiet --strip=1 <"$mutant")
  cd "$copy/tree"
  cargo test --quiet --package "$package" --no-run >"$copy/log" 2>&1 || {
    cat "$copy/log"
    echo "mutant $name does not compile"
    exit 1
  }
  count=$((count + 1))
  if cargo test --quiet --package "$package" -- "$test" >"$copy/log" 2>&1; then
    echo "SURVIVED $name: $test still passes"
    survived=$((survived + 1))
  elif grep -q "$test" "$copy/log"; then
    echo "caught   $name by $test"
  else
    cat "$copy/log"
    echo "mutant $name: $test did not run"
    exit 1
  fi
done
echo "$count mutants, $survived survived"
[ "$survived" -eq 0 ]
