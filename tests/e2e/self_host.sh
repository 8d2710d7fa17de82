#!/usr/bin/env bash
# Residue watches itself: of a test program of ours the same test cases fail under `residue record` as alone (none, as a
# rule), and the recording opens.
#   tests/e2e/self_host.sh FOLDER_OF_THE_PROGRAMS [NAME... | all]
# A name is that of a layer: "base" stands for test_base. Without names two that are over in a few seconds.
set -euo pipefail
bin=$(realpath "$1")
shift
names=("$@")
((${#names[@]})) || names=(base memory)
if [[ ${names[0]} == all ]]; then
    names=()
    for program in "$bin"/test_*; do names+=("${program##*/test_}"); done
fi
if grep -q __asan_init "$bin/test_base" || grep -q __tsan_init "$bin/test_base"; then
    echo "skipped: a sanitizer has to be the first to stand before malloc, and so has the shim"
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export XDG_STATE_HOME=$folder/state XDG_CONFIG_HOME=$folder/config
most=${RESIDUE_SELF_HOST_SECONDS:-3600}  # for one program, once

# run HOW COMMAND...: a test program, whose outcome goes to $folder/HOW.xml and what it says to HOW.out and HOW.err.
# Catch2 has names and results of test cases on lines of their own there, once the program has ended by itself.
run() {
    local how=$1 code=0
    shift
    rm -f "$how".*
    timeout --foreground --kill-after=20 "$most" "$@" --reporter xml --out "$folder/$how.xml" --durations yes \
        >"$how.out" 2>"$how.err" </dev/null || code=$?
    touch "$how.xml"
    failed_cases "$how.xml" >"$how.failed"
    # Killed, by a signal or at the end of its time, or with nothing to complain of and yet not well.
    if ! grep -q '</Catch>' "$how.xml" || { ((code != 0)) && [[ ! -s $how.failed ]]; }; then
        echo "(the program itself, which ended with $code)" >>"$how.failed"
    fi
}
cases() { grep -c '^ *<TestCase ' "$1" || true; }
failed_cases() {
    awk -F '"' '/^ *<TestCase / { name = $2 } /<OverallResult success="false"/ { print name }' "$1" | sort
}
# told PATTERN: a number in what the recorder said at the end; 0 where it did not.
told() {
    local number
    number=$({ grep '^residue: ' watched.err || true; } | { grep -Eo "[0-9,]+ $1" || true; } | tail -n 1)
    echo "${number:-0}" | cut -d' ' -f1
}

wrong=0
complain() {
    echo "    $*"
    wrong=$((wrong + 1))
}
for name in "${names[@]}"; do
    program=$bin/test_${name#test_}
    [[ -x $program ]] || { echo "there is no $program"; exit 2; }
    before=$wrong
    started=$SECONDS
    run alone "$program"
    alone=$((SECONDS - started)) started=$SECONDS
    run watched "$bin/residue" record --call-traces=auto -o watched.residue -- "$program"
    watched=$((SECONDS - started))
    while read -r line; do complain "$line"; done < <(
        comm -13 alone.failed watched.failed | sed 's/^/fails only when it is watched: /'
        comm -23 alone.failed watched.failed | sed 's/^/fails only alone: /'
    )
    (($(cases alone.xml) == $(cases watched.xml))) || complain "some test cases ran only once"
    (($(cases alone.xml) > 0)) || complain "no test case ran: $(tail -n 3 alone.err)"
    [[ $(told 'calls in') != 0 ]] || complain "nothing was recorded: $(tail -n 3 watched.err)"
    "$bin/residue" report watched.residue >report.out 2>&1 ||
        complain "the recording does not open: $(tail -n 3 report.out)"
    verdict=same
    ((wrong == before)) || verdict=DIFFERENT
    echo "test_${name#test_}: $verdict; $(cases alone.xml) cases, $(wc -l <alone.failed) failed alone and" \
        "$(wc -l <watched.failed) watched; $(told 'calls in') calls, $(told 'events were LOST') events lost;" \
        "$alone s alone, $watched s watched"
    if ((wrong > before)) && [[ -n ${RESIDUE_KEEP_SELF_HOST:-} ]]; then
        mkdir -p "$RESIDUE_KEEP_SELF_HOST/${name#test_}"
        cp -- *.xml *.out *.err "$RESIDUE_KEEP_SELF_HOST/${name#test_}"
    fi
    rm -f watched.residue
done
((wrong == 0))
