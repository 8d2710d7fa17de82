#!/usr/bin/env bash
# A recording in the real window, as one looks into a program that is not one's own: scrubbed, zoomed to a block, its
# history walked, its site found in the flame graph, a range compared, another run compared. What the window shows must
# be what the command line says of the same file.
#   tests/e2e/recording.sh FOLDER_OF_THE_PROGRAMS [RECORDING [FOLDER_FOR_PICTURES]]
# Without a recording one of 50,000 calls is made. Of a given one only what holds for any is asked.
# shellcheck source=tests/e2e/lib/window.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib/window.bash" "$1"

given=${2:-}
pictures=${3:-}
residue=$bin/residue

# record FILE KEPT: main calls Load, which calls Read, and Parse, which calls operator new. Blocks of Read live for 41
# calls, those of Parse for 2,000, but each KEPT-th never dies; all at addresses of their own.
record() {
    awk -v kept="$2" 'BEGIN {
        print "{\"trace\":1,\"frame\":\"0x10\",\"function\":\"main\",\"file\":\"main.cpp\",\"line\":5}"
        print "{\"trace\":2,\"parent\":1,\"frame\":\"0x20\",\"function\":\"app::Load(int)\",\"file\":\"load.cpp\",\"line\":7}"
        print "{\"trace\":3,\"parent\":2,\"frame\":\"0x30\",\"function\":\"app::Read\",\"file\":\"read.cpp\",\"line\":11}"
        print "{\"trace\":4,\"parent\":1,\"frame\":\"0x40\",\"function\":\"app::Parse(std::vector<int> const&)\",\"file\":\"parse.cpp\",\"line\":9}"
        print "{\"trace\":5,\"parent\":4,\"frame\":\"0x50\",\"function\":\"operator new(unsigned long)\"}"
        for (i = 0; i < 27000; ++i) {
            parse = i % 3 == 0
            size = parse ? 64 + i % 500 : 16 + i % 48
            printf "{\"event\":\"allocated\",\"address\":\"0x%x\",\"size\":%d,\"thread\":1,\"trace\":%d}\n", 65536 + i * 1024, size, parse ? 5 : 3
            if (parse && i % kept != kept - 3) ends[i + 2000] = i
            if (!parse) ends[i + 41] = i
            if (i in ends) printf "{\"event\":\"freed\",\"address\":\"0x%x\",\"thread\":1}\n", 65536 + ends[i] * 1024
        }
    }' >"$1"
}
recording=$given
if [[ -z $given ]]; then
    record "$folder/run.jsonl" 30
    record "$folder/earlier.jsonl" 90
    "$residue" convert "$folder/run.jsonl" "$folder/run.residue" >/dev/null
    "$residue" convert "$folder/earlier.jsonl" "$folder/earlier.residue" >/dev/null
    recording=$folder/run.residue
fi

report=$folder/report.json
# figure KEY: a number in what the window says that it shows; nothing where it shows none.
figure() { { grep -o "\"$1\":-\?[0-9][0-9]*" "$report" || true; } | head -n 1 | cut -d: -f2; }
# Waits until the window says what matches the pattern.
shows() {
    for _ in {1..600}; do
        grep -Eq "$1" "$report" 2>/dev/null && return
        sleep 0.1
    done
    cat "$report" 2>/dev/null
    die "the window never showed $2 ($1)"
}
# told FILE KEY [WHICH]: what the command line said, the first or the second time.
told() { { grep -o "\"$2\": -\?[0-9]*" "$1" || true; } | head -n "${3:-1}" | tail -n 1 | sed 's/.*: //'; }
equal() {
    [[ -n $2 && $2 == "$3" ]] || die "$1: the window shows '$2', the command line says '$3'"
    echo "$1: $2"
}
picture() {
    import -window "$window" "$folder/$1.png"
    [[ -z $pictures ]] || { mkdir -p "$pictures" && cp "$folder/$1.png" "$pictures/"; }
}
# diff of two moments, to $folder/diff.json
diff_of() { "$residue" diff "$recording" --from "$1" --to "$2" --json >"$folder/diff.json" 2>/dev/null || true; }
drag() {
    xdotool mousemove --window "$window" "$1" "$2" sleep 0.2 mousedown 1
    local x
    for x in $(seq "$1" 50 "$3"); do xdotool mousemove --window "$window" "$x" "$2" sleep 0.1; done
    xdotool mousemove --window "$window" "$3" "$2" sleep 0.2 mouseup 1
}

"$residue" report "$recording" --json >"$folder/said.json"
open_window "$(basename "$recording")" --report "$report" "$recording"
picture opened
shows '"events":[0-9]' "that it is read"
equal "events" "$(figure events)" "$(told "$folder/said.json" events)"

# Scrubbed.
keys End
shows "\"event\":$(figure events)," "the end"
equal "live bytes at the end" "$(figure live_bytes)" "$(told "$folder/said.json" live_bytes)"
equal "live blocks at the end" "$(figure live_blocks)" "$(told "$folder/said.json" live_blocks)"
keys Home
shows '"event":0,' "the beginning"
keys p
peak=$(told "$folder/said.json" peak_event)
shows "\"event\":$peak," "the peak"
equal "live bytes at the peak" "$(figure live_bytes)" "$(told "$folder/said.json" peak_live_bytes)"
picture peak
click_at 500 820
shows '"event":[0-9]' "a position"
for _ in {1..100}; do [[ $(figure event) == "$peak" ]] || break; sleep 0.1; done
[[ $(figure event) != "$peak" ]] || die "a click on the timeline goes nowhere"
moment=$(figure event)
diff_of 0 "$moment"
equal "live bytes at $moment" "$(figure live_bytes)" "$(told "$folder/diff.json" live_bytes 2)"
drag 500 820 600
for _ in {1..100}; do [[ $(figure event) == "$moment" ]] || break; sleep 0.1; done
((moment < $(figure event))) || die "the playhead does not come along"
picture scrubbed

# A block, near by; its history.
keys alt+1
moment=$(figure event)
click_at 100 820  # early: of what lives there much will die
for _ in {1..100}; do [[ $(figure event) == "$moment" ]] || break; sleep 0.1; done
keys alt+1
xdotool mousemove --window "$window" 800 880
settled "$folder/far.png"
# The first one that dies some time.
for _ in {1..40}; do
    last=$(figure id)
    keys period
    for _ in {1..50}; do [[ $(figure id) == "$last" ]] || break; sleep 0.1; done
    [[ -n $(figure id) ]] || die "no block is selected"
    [[ -z $(figure died) ]] || break
done
shows '"block":\{' "a block"
keys Return
settled "$folder/near.png"
picture block
differ "zooming to a block" "$folder/far.png" "$folder/near.png"
size=$(figure size) born=$(figure born) died=$(figure died)
echo "block $(figure id) of $size bytes, born $born, died ${died:-never}"
diff_of $((born - 1)) "$born"
equal "what its birth adds" "$size" "$(told "$folder/diff.json" change)"
if [[ -n $died ]]; then
    diff_of $((died - 1)) "$died"
    equal "what its death takes" "-$size" "$(told "$folder/diff.json" change)"
    keys h
    shows "\"event\":$died," "the death of the block"
    keys shift+h
fi
[[ -n $died ]] || keys shift+h
shows "\"event\":$born," "the birth of the block"
picture history

# Its site in the flame graph.
keys x
shows '"view":1.*"site":\{"name"' "the block's site"
settled "$folder/site.png"
picture site
site=$(grep -o '"site":{.*' "$report")
echo "$site"
if [[ -z $given ]]; then
    name='app::Parse'
    grep -q 'operator new' <<<"$site" || { name='app::Read' && grep -q "$name" <<<"$site"; } || die "it is another site"
    "$residue" diff "$recording" --from 0 --to "$born" --site "$name" --json >"$folder/diff.json"
    equal "live bytes of $name" "$(grep -o '"value":[0-9]*' <<<"$site" | cut -d: -f2)" "$(told "$folder/diff.json" live_bytes 2)"
fi

# A range, and its end against its beginning.
keys Escape Escape Escape Escape Escape Escape
xdotool keydown Shift_L
drag 300 820 700
xdotool keyup Shift_L
shows '"range":\[' "a kept range"
picture range
keys c
shows '"range":\[.*"before":' "the comparison"
from=$(grep -o '"range":\[[0-9]*' "$report" | grep -o '[0-9]*$')
to=$(grep -o '"range":\[[0-9]*,[0-9]*' "$report" | grep -o '[0-9]*$')
diff_of "$from" "$to"
equal "live bytes at $from" "$(figure before)" "$(told "$folder/diff.json" live_bytes)"
equal "live bytes at $to" "$(figure value)" "$(told "$folder/diff.json" live_bytes 2)"
equal "growth from $from to $to" "$(figure change)" "$(told "$folder/diff.json" change)"
changes=$(grep -c '^ *"change": [0-9]' "$folder/diff.json" || true)  # one of them is the sum, where that grew
(($(told "$folder/diff.json" change) < 0)) || changes=$((changes - 1))
equal "sites that grew" "$(figure grew)" "$changes"
keys ctrl+6
sleep 1
picture compared
keys alt+3
settled "$folder/lives.png"
picture lives
keys c Escape Escape
runs_still
close_window

# Another run, the earlier one.
if [[ -z $given ]]; then
    rm -f "$report"
    open_window run.residue --report "$report" "$recording" --against "$folder/earlier.residue"
    shows '"before":' "the comparison with another run"
    "$residue" diff "$folder/earlier.residue" "$recording" --by live --json >"$folder/diff.json"
    equal "growth from one run to another" "$(figure change)" "$(told "$folder/diff.json" change 1)"
    equal "the earlier run's live bytes" "$(figure before)" "$(told "$folder/diff.json" live_bytes)"
    picture against
    keys Escape
    for _ in {1..100}; do grep -q '"before"' "$report" || break; sleep 0.1; done
    ! grep -q '"before"' "$report" || die "Escape does not end the comparison"
    close_window
fi
echo "the window and the command line agree"
