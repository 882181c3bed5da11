#!/usr/bin/env bash
# Runs one GoogleTest program of another processor under qemu-user: all of its tests in one process, since an emulator
# takes a second to start.
#
#   tests/distro/emulated.sh PROGRAM [GOOGLETEST_OPTION...]
#
# Prints the program's name, how its tests ended, how long they took, and each test that skipped with its reason; of
# tests that failed, everything.
set -euo pipefail

program=$1
shift
output=$(mktemp)
trap 'rm -f "$output"' EXIT
began=$SECONDS
status=0
timeout 900 qemu-aarch64 "$program" "$@" >"$output" 2>&1 || status=$?
took=$((SECONDS - began))

if ((status == 0)); then
	passed=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$output")
	printf '%s: %s passed in %d s\n' "${program##*/}" "${passed:-none}" "$took"
	grep --after-context=1 ': Skipped$' "$output" | sed -n '/^--$/d; /: Skipped$/d; s/^/    skipped: /p' || true
else
	((status != 124)) || printf '%s did not end within 900 s\n' "${program##*/}"
	sed '/^\[ RUN  \|^\[       OK/d' "$output"
	printf '%s: FAILED with %d after %d s\n' "${program##*/}" "$status" "$took"
fi
exit "$status"
