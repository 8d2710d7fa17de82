#!/usr/bin/env bash
# The inside of an allocator in the real window: the panel closes and opens with a key, the search of a call is walked probe by
# probe both ways and over the border of calls, a node of the list can be clicked, and all is as before at the end.
#   tests/e2e/inside.sh FOLDER_OF_THE_PROGRAMS
# shellcheck source=tests/e2e/lib/window.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib/window.bash" "$1"

# Eight blocks, every second one freed: four holes of which first fit refuses three for the last request.
{
    printf '20000\n9\n13\n1\n'
    for i in 0 1 2 3 4 5 6; do echo "a $i $((64 + 32 * i))"; done
    echo "a 7 512"
    for i in 0 2 4 6; do echo "f $i"; done
    echo "a 8 200"
} >"$folder/holes.rep"
open_window 'holes.rep' --allocator first-fit "$folder/holes.rep"

xdotool mousemove --window "$window" 800 990  # where it hovers nothing
keys End
settled "$folder/inside.png"
keys i
settled "$folder/closed.png"
differ "closing the inside" "$folder/inside.png" "$folder/closed.png"
keys i
settled "$folder/open.png"
alike "opening the inside again" "$folder/inside.png" "$folder/open.png"

# One probe back each time, until the call before begins.
last=inside
for back in 1 2 3; do
    keys alt+Left
    settled "$folder/back$back.png"
    differ "probe $back back" "$folder/$last.png" "$folder/back$back.png"
    last=back$back
done
for forward in 2 1; do
    keys alt+Right
    settled "$folder/forward$forward.png"
    alike "probe $forward again" "$folder/back$forward.png" "$folder/forward$forward.png"
done
keys alt+Right
settled "$folder/whole.png"
alike "the whole call again" "$folder/inside.png" "$folder/whole.png"

# Calls, with the panel open.
keys Left
settled "$folder/before.png"
differ "a call back" "$folder/inside.png" "$folder/before.png"
keys Right
settled "$folder/again.png"
alike "a call there and back" "$folder/inside.png" "$folder/again.png"

# The mouse over the left column: some row of the panel lights its hole up in the heap.
lit=''
for y in 200 260 320 380 440 500; do
    xdotool mousemove --window "$window" 120 "$y"
    settled "$folder/over$y.png"
    same "$folder/again.png" "$folder/over$y.png" || { lit=$y; break; }
done
[[ -n $lit ]] || die "the mouse over the inside's list shows nothing"
click_at 120 "$lit"
runs_still
xdotool mousemove --window "$window" 800 990

close_window
echo "opened, walked probe by probe both ways, hovered, clicked, closed"
