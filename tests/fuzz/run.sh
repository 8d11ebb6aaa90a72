#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh [TARGET|all] [SECONDS]: looks for more with the targets of build/fuzz (./dev build fuzz), SECONDS each, one
# after another at the lowest priority, and prints what came of it. Finds and grown corpora stay in build/fuzz-work.
# run.sh --merge TARGET: takes what these found into the committed corpus, as little of it as covers the same.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

readonly work=$PWD/build/fuzz-work
# A small quarantine: pages used again are faster than new ones, and the memory limit is about the target.
export ASAN_OPTIONS=quarantine_size_mb=8:malloc_context_size=8:allocator_release_to_os_interval_ms=-1
readonly limits=(-rss_limit_mb=2048 -malloc_limit_mb=64 -timeout=100 -max_len=4096 -len_control=20)

program_of() {
	find build/fuzz -type f -executable -name "fuzz_$1"
}

# value FILE KEY: of libFuzzer's last line of progress, or its final statistics.
value() {
	grep -oE "$2:? +[0-9]+" "$1" | tail -1 | grep -oE '[0-9]+$' || echo 0
}

run_one() {
	local target=$1 seconds=$2 program log status=0 cpu finds
	program=$(program_of "$target")
	[[ -n $program ]] || { echo "no such target: $target" >&2 && return 1; }
	log=$work/$target.log
	mkdir -p "$work/$target" "$work/finds"
	TIMEFORMAT='%U %S'
	{ time nice -n 19 "$program" "${limits[@]}" -max_total_time="$seconds" -print_final_stats=1 \
		-artifact_prefix="$work/finds/$target-" "$work/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1; } \
		2>"$log.cpu" || status=$?
	cpu=$(tail -1 "$log.cpu" | awk '{ printf "%.0f", $1 + $2 }')
	finds=$(find "$work/finds" -name "$target-*" | wc -l)
	printf '%-15s %10s %8s %7s %7s %6s %6s\n' "$target" "$(value "$log" number_of_executed_units)" "$cpu" \
		"$(value "$log" cov)" "$(value "$log" ft)" "$(ls "$work/$target" | wc -l)" "$finds"
	return "$status"
}

# merge INTO FROM...: by edges alone; by counts of them a corpus would be ten times as large.
merge() {
	"$program" "${limits[@]}" -use_counters=0 -merge=1 "$@" 2>/dev/null
}

merge_one() {
	local corpus=tests/fuzz/corpus/$1 program kept
	program=$(program_of "$1")
	kept=$(mktemp -d)
	merge "$kept" "$corpus" "$work/$1"
	# Seeds with a name stay as they are.
	find "$corpus" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
	merge "$corpus" "$kept"
	rm -rf "$kept"
	echo "$1: $(ls "$corpus" | wc -l) seeds"
}

main() {
	local target=${1:-all} seconds=${2:-60} targets status=0
	[[ $target != --merge ]] || { merge_one "$2" && exit; }
	targets=$target
	[[ $target != all ]] || targets=$(ls tests/fuzz/corpus)
	printf '%-15s %10s %8s %7s %7s %6s %6s\n' target executions cpu_s edges features corpus finds
	for target in $targets; do run_one "$target" "$seconds" || status=1; done
	return $status
}

main "$@"
