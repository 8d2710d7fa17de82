#!/usr/bin/env bash
# The real window, on a real X server without a screen: it opens a trace, follows the keys there and back again to the
# same picture, and closes cleanly.
#   tests/e2e/window.sh FOLDER_OF_THE_PROGRAMS
set -euo pipefail
bin=$1
for tool in Xvfb xdotool import compare identify; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is missing"; exit 77; }
done
folder=$(mktemp -d)
server='' view=''
# shellcheck disable=SC2317  # called by the trap
clean_up() {
    [[ -z $view ]] || kill "$view" 2>/dev/null || true
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT
die() {
    echo "FAILED: $*"
    sed 's/^/  residue-view: /' "$folder/said" 2>/dev/null || true
    exit 1
}

mkfifo "$folder/display"
Xvfb -displayfd 3 -screen 0 1700x1000x24 -nolisten tcp 3<>"$folder/display" >/dev/null 2>&1 &
server=$!
exec 4<>"$folder/display"
read -r -t 20 number <&4 || die "Xvfb did not start"
export DISPLAY=:$number LIBGL_ALWAYS_SOFTWARE=1
export XDG_STATE_HOME=$folder/state XDG_CONFIG_HOME=$folder/config
unset WAYLAND_DISPLAY
# Mesa and fontconfig keep what they made until the end; leaks are looked for where no driver is in the process.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0

printf '20000\n4\n8\n1\na 0 512\na 1 128\na 2 512\nf 1\na 3 64\nr 0 1024\nf 2\na 1 96\n' >"$folder/small.rep"
"$bin/residue-view" "$folder/small.rep" >"$folder/said" 2>&1 &
view=$!
window=$(timeout 60 xdotool search --sync --onlyvisible --name 'small.rep' | head -n 1) || die "no window"
xdotool windowfocus --sync "$window"

# Two pictures that are alike, a moment apart: nothing moves any more.
settled() {
    import -window "$window" "$folder/last.png"
    for _ in {1..60}; do
        sleep 0.2
        import -window "$window" "$1"
        [[ $(compare -metric AE "$folder/last.png" "$1" null: 2>&1 || true) == 0 ]] && return
        cp "$1" "$folder/last.png"
    done
    die "the picture never came to rest"
}
same() { [[ $(compare -metric AE "$1" "$2" null: 2>&1 || true) == 0 ]]; }
keys() { xdotool key --window 0 --delay 60 "$@"; }

keys Home
settled "$folder/start.png"
colours=$(identify -format %k "$folder/start.png")
((colours > 40)) || die "the window is as good as blank: $colours colours"

keys Right Right Right
settled "$folder/three.png"
same "$folder/start.png" "$folder/three.png" && die "three steps forward changed nothing"
keys Right
settled "$folder/four.png"
same "$folder/three.png" "$folder/four.png" && die "a step forward changed nothing"
keys Left
settled "$folder/back.png"
same "$folder/three.png" "$folder/back.png" || die "a step forward and a step back gave another picture"
keys Left Left Left
settled "$folder/home.png"
same "$folder/start.png" "$folder/home.png" || die "back at the start the picture is another one"
kill -0 "$view" 2>/dev/null || die "it ended by itself"

keys ctrl+q
for _ in {1..100}; do
    kill -0 "$view" 2>/dev/null || break
    sleep 0.1
done
kill -0 "$view" 2>/dev/null && die "it does not close"
code=0
wait "$view" || code=$?
view=''
((code == 0)) || die "it closed with exit code $code"
echo "opened, stepped there and back, closed; $colours colours"
