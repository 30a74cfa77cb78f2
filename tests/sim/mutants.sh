#!/bin/sh
# Is the simulation any good? Each mutant (#ifdef MUTANT_...) is a slip that somebody could make; the
# simulation must find every one of them within TAPECAST_MUTANT_SEEDS seeds (1000), and nothing in
# the sources as they are. Skipped where TAPECAST_QUICK=1.
set -u

if test "${TAPECAST_QUICK:-0}" = 1; then
	echo 'mutants are a matter of the full check'
	exit 77
fi

source=${TAPECAST_SOURCE:-$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)}
# The build's own -I is relative to the build folder, which is left below.
cc="${TAPECAST_CC:-${CC:-cc} -std=gnu11 -D_GNU_SOURCE} -I$source/src"
seeds=${TAPECAST_MUTANT_SEEDS:-1000}
flags='-O1 -g -pthread'

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# Relative includes (-Isrc) and messages then read the same wherever the build is.
cd "$source" || exit 1

object_of() {
	echo "$work/$1/$(echo "$2" | tr / _).o"
}

# compile FOLDER FLAG FILE...
compile() {
	folder=$1 flag=$2
	shift 2
	mkdir -p "$work/$folder"
	for file; do
		$cc $flags $flag -c "$file" -o "$(object_of "$folder" "$file")" || return 1
	done
}

# What the simulation runs: of the backplanes, the memory one.
product=$(echo src/base/*.c src/wire/*.c src/stream/*.c src/delivery/*.c \
	src/backplane/memory*.c src/backplane/feed*.c)
files="$product $(echo tests/sim/sim*.c) tests/sim/test_sim.c"
compile plain '' $files || exit 1

# link FOLDER FILE...: those files' objects from FOLDER, the others as they are.
link() {
	folder=$1
	shift
	objects=
	for file in $files; do
		case " $* " in
		*" $file "*) objects="$objects $(object_of "$folder" "$file")" ;;
		*) objects="$objects $(object_of plain "$file")" ;;
		esac
	done
	$cc $flags $objects -lsodium -lgnutls -o "$work/sim_$folder"
}

# run NAME: passes if the simulation does; says which seed failed.
run() {
	TAPECAST_SEEDS=$seeds TAPECAST_FAILURES=1 timeout 600 "$work/sim_$1" >"$work/out" 2>&1
}

killer() {
	sed -n 's/.*TAPECAST_SEED=\([0-9]*\):* \(.*\)/seed \1: \2/p' "$work/out" | tail -n 1 | cut -c1-110
}

failed=0 count=0
tell() {
	count=$((count + 1))
	if test "$1" = OK; then
		echo "[       OK ] $2"
	else
		failed=$((failed + 1))
		echo "[  FAILED  ] $2"
	fi
}

link plain || exit 1
if run plain; then
	tell OK "the sources as they are pass $seeds seeds"
else
	cat "$work/out"
	tell FAILED 'the sources as they are pass'
fi

for mutant in $(grep -hoE 'MUTANT_[A-Z0-9_]+' $product | sort -u); do
	touched=$(grep -lw "$mutant" $product)
	if ! compile "$mutant" "-D$mutant" $touched || ! link "$mutant" $touched; then
		tell FAILED "$mutant compiles"
	elif run "$mutant"; then
		tell FAILED "$mutant is found: it survived $seeds seeds"
	else
		tell OK "$mutant is found by $(killer)"
	fi
done

echo "[==========] mutants: $count test(s) run."
test "$failed" = 0 || { echo "[  FAILED  ] $failed test(s)."; exit 1; }
echo "[  PASSED  ] $count test(s)."
