#!/usr/bin/env bash
# Applies each mutant to a copy of the tree and fails unless the test that it names notices. `run.sh NAME` runs one.
set -euo pipefail
root="$(cd "$(dirname "$0")/../.." && pwd)"
copy="$(mktemp -d)"
trap 'rm -rf "$copy"' EXIT
# One for all mutants, and none but theirs: what is wrong on purpose must never lie where the real programs do.
export CARGO_TARGET_DIR="$copy/target"

fail() {
  cat "$copy/log"
  echo "mutant $name: $*"
  exit 1
}

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
  # With its modules before its name, so that it alone runs: whatever fails or hangs then is this test.
  cargo test --quiet --package "$package" --tests -- --list >"$copy/log" 2>&1 || fail "does not compile"
  path="$(sed -nE "s/^(.*::)?($test): test\$/\1\2/p" "$copy/log")"
  [ -n "$path" ] || fail "there is no test $test"
  count=$((count + 1))
  if timeout --kill-after=10 600 cargo test --quiet --package "$package" --tests -- --exact "$path" >"$copy/log" 2>&1; then
    echo "SURVIVED $name: $test still passes"
    survived=$((survived + 1))
  else
    echo "caught   $name by $test"
  fi
done
echo "$count mutants, $survived survived"
[ "$survived" -eq 0 ]
