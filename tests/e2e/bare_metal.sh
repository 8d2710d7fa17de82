#!/usr/bin/env bash
# A kernel without an operating system boots in an emulator, allocates, and says so over its serial port; what was
# captured there opens as a recording and has the figures that the same workload counts for itself on this machine.
#   tests/e2e/bare_metal.sh FOLDER_OF_THE_PROGRAMS
set -euo pipefail
bin=$1
command -v qemu-system-x86_64 >/dev/null || { echo "skipped: qemu-system-x86_64 is missing"; exit 77; }
[[ -f $bin/bare_metal.elf ]] || { echo "skipped: the kernel is built on x86-64 only"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
die() { echo "FAILED: $*"; exit 1; }
# Mesa and fontconfig keep what they made until the end.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0

status=0
timeout 60 qemu-system-x86_64 -accel tcg -m 32 -kernel "$bin/bare_metal.elf" -serial "file:$folder/serial.bin" \
    -display none -vga none -net none -monitor none -no-reboot \
    -device isa-debug-exit,iobase=0xf4,iosize=0x04 >"$folder/said" 2>&1 </dev/null || status=$?
((status == 33)) || { cat "$folder/said"; die "the kernel ended with $status, not with 33"; }
grep -aq 'All is well' "$folder/serial.bin" || die "the kernel did not say that all is well"
echo "captured $(stat -c %s "$folder/serial.bin") bytes"

# What must come out, and that this is not nothing.
"$bin/bare_metal_host" >"$folder/expected"
for figure in allocations frees failed bad_frees live_blocks; do
    grep -Eq "\"$figure\": [1-9]" "$folder/expected" || die "the workload has no $figure"
done
figures() { grep -E '^  "(events|allocations|frees|resizes|failed|bad_frees|(peak_)?live_bytes|live_blocks|peak_event|total_bytes)"' "$1"; }
"$bin/residue" report --json "$folder/serial.bin" >"$folder/report.json"
figures "$folder/report.json" | diff "$folder/expected" - || die "the report and the workload differ"
grep -q '"format": "event stream"' "$folder/report.json" || die "the format is another one"
grep -q '"warnings": \[\]' "$folder/report.json" || { cat "$folder/report.json"; die "something is wrong with the stream"; }

# The leaks come from where they were made, by address and, with the kernel's file, by name.
grep -Eq '"0x[0-9a-f]+"' "$folder/report.json" || die "the leaks have no call trace"
"$bin/residue" report "$folder/serial.bin" --symbols "$bin/bare_metal.elf" >"$folder/report.txt"
grep -Eq '(at|by) .*LeakTasks.*workload\.cpp:[0-9]+' "$folder/report.txt" || die "the leaks are not from LeakTasks"
grep -q 'by Kernel' "$folder/report.txt" || die "the call traces do not reach the kernel's start"

# What went wrong is told in words.
grep -q 'free already' "$folder/report.txt" || die "the double free is not told"
grep -qi 'fragment' "$folder/report.txt" || die "the failure by fragmentation is not told"

# As a recording of our own it is the same.
"$bin/residue" convert "$folder/serial.bin" "$folder/kernel.residue" >/dev/null
"$bin/residue" report --json "$folder/kernel.residue" >"$folder/again.json"
figures "$folder/again.json" | diff "$folder/expected" - || die "the converted recording differs"

# Cut off in the middle it opens up to there.
head -c 3000 "$folder/serial.bin" >"$folder/cut.bin"
"$bin/residue" report --json "$folder/cut.bin" >"$folder/cut.json"
grep -q 'the stream has no end' "$folder/cut.json" || die "nothing says that the stream was cut off"

if [[ -x $bin/residue-view ]]; then
    "$bin/residue" picture "$folder/serial.bin" --at 100 -o "$folder/kernel.png" >/dev/null || die "no picture"
    (($(stat -c %s "$folder/kernel.png") > 10000)) || die "the picture is as good as blank"
fi
echo "the kernel's figures are right"
