# For the scripts beside this folder: a window on a real X server without a screen, and what a user does to it.
#   source "$(dirname "$0")/lib/window.bash" FOLDER_OF_THE_PROGRAMS      sets $bin, $folder (a temporary one), DISPLAY
#   open_window TITLE ARGUMENTS...                                       starts residue-view, sets $view and $window
set -euo pipefail
bin=$1
for tool in Xvfb xdotool import compare identify convert; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is missing"; exit 77; }
done
folder=$(mktemp -d)
server='' view='' window=''
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
    [[ -z ${RESIDUE_KEEP_PICTURES:-} ]] || cp "$folder"/*.png "$RESIDUE_KEEP_PICTURES" 2>/dev/null || true
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

open_window() {
    local title=$1
    shift
    "$bin/residue-view" "$@" >"$folder/said" 2>&1 &
    view=$!
    window=$(timeout 60 xdotool search --sync --onlyvisible --name "$title" | head -n 1) || die "no window"
    xdotool windowfocus --sync "$window"
}

# settled FILE: a picture of the window when nothing moves any more: two that are alike, a moment apart.
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
# differ WHAT A B: the step WHAT must have changed the picture.
differ() { ! same "$2" "$3" || die "$1 changed nothing"; }
alike() { same "$2" "$3" || die "$1 gave another picture"; }
keys() { xdotool key --window 0 --delay 60 "$@"; }
click_at() { xdotool mousemove --window "$window" "$1" "$2" sleep 0.15 click 1; }
runs_still() { kill -0 "$view" 2>/dev/null || die "it ended by itself"; }

close_window() {
    keys ctrl+q
    for _ in {1..100}; do
        kill -0 "$view" 2>/dev/null || break
        sleep 0.1
    done
    kill -0 "$view" 2>/dev/null && die "it does not close"
    local code=0
    wait "$view" || code=$?
    view=''
    ((code == 0)) || die "it closed with exit code $code"
}
