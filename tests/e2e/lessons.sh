#!/usr/bin/env bash
# The lessons in a real window: picked from the list, walked by narration and by line both ways, a wrong program mended
# from its message alone, a prediction answered.
#   tests/e2e/lessons.sh FOLDER_OF_THE_PROGRAMS
# shellcheck source=tests/e2e/lib/window.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib/window.bash" "$1"

# Every lesson, from the picker.
lessons=("$(dirname "${BASH_SOURCE[0]}")"/../../scenarios/*.iridis)
open_window 'Residue' --sandbox
for i in "${!lessons[@]}"; do
    title=$(sed -n '1s|^/// ||p' "${lessons[i]}")
    keys l
    keys Down  # the first time it chooses the first, then the one after the last
    keys Return
    found=''
    for _ in {1..60}; do
        [[ $(xdotool getwindowname "$window") == "$title"* ]] && { found=1; break; }
        sleep 0.1
    done
    [[ -n $found ]] || die "lesson $((i + 1)), \"$title\", did not open: $(xdotool getwindowname "$window")"
    keys n n ctrl+Right
    runs_still
done
settled_or_live() { import -window "$window" "$1"; }
settled_or_live "$folder/last-lesson.png"
close_window

# A program with a mistake, mended from its message.
cat >"$folder/wrong.iridis" <<'TEXT'
/// Mended
main :: proc()
{
    buffer : [256; u8]
    heap := CreateFixedBufferAllocator(&bufer)
    a := Allocate<u8>(&heap, 64)
    Free(&heap, a)
}
TEXT
open_window 'wrong.iridis' "$folder/wrong.iridis"
settled "$folder/wrong.png"
"$bin/residue" check "$folder/wrong.iridis" >"$folder/told" 2>&1 && die "check accepts a broken scenario"
# shellcheck disable=SC2016  # the message's own quotes
grep -q '`buffer`' "$folder/told" || die "the message does not offer the near name"
keys e
# One by one: on a busy machine two presses of a key in one frame are one.
for key in ctrl+Home Down Down Down Down End Left Left Left; do
    keys "$key"
    sleep 0.2
done
xdotool type --delay 60 f
keys ctrl+r
for _ in {1..50}; do
    [[ $(xdotool getwindowname "$window") == Mended* ]] && break
    sleep 0.1
done
[[ $(xdotool getwindowname "$window") == Mended* ]] || die "the mended program does not run: $(xdotool getwindowname "$window")"
settled "$folder/mended.png"
differ "mending the program" "$folder/wrong.png" "$folder/mended.png"
grep -q 'bufer' "$folder/wrong.iridis" || die "the file was changed without being asked"
keys ctrl+s
for _ in {1..30}; do
    grep -q 'bufer' "$folder/wrong.iridis" || break
    sleep 0.1
done
"$bin/residue" check "$folder/wrong.iridis" >/dev/null || die "what was saved does not hold"
runs_still
close_window
echo "${#lessons[@]} lessons opened and walked; a wrong program mended, run and saved"
