#!/usr/bin/env bash
# The real window, on a real X server without a screen: it opens a trace, follows the keys there and back again to the
# same picture, and closes cleanly.
#   tests/e2e/window.sh FOLDER_OF_THE_PROGRAMS
# shellcheck source=tests/e2e/lib/window.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib/window.bash" "$1"

printf '20000\n4\n8\n1\na 0 512\na 1 128\na 2 512\nf 1\na 3 64\nr 0 1024\nf 2\na 1 96\n' >"$folder/small.rep"
open_window 'small.rep' "$folder/small.rep"

keys Home
settled "$folder/start.png"
colours=$(identify -format %k "$folder/start.png")
((colours > 40)) || die "the window is as good as blank: $colours colours"

keys Right Right Right
settled "$folder/three.png"
differ "three steps forward" "$folder/start.png" "$folder/three.png"
keys Right
settled "$folder/four.png"
differ "a step forward" "$folder/three.png" "$folder/four.png"
keys Left
settled "$folder/back.png"
alike "a step forward and a step back" "$folder/three.png" "$folder/back.png"
keys Left Left Left
settled "$folder/home.png"
alike "the way back to the start" "$folder/start.png" "$folder/home.png"
runs_still
close_window
echo "opened, stepped there and back, closed; $colours colours"
