#!/usr/bin/env bash
# A program that is watched never notices: whatever happens to the recorder, its disk or the program itself, the program
# ends with the output and the exit code that it has alone. And a program that is killed leaves a recording with every
# event that it had told of.
#   tests/e2e/never_notices.sh FOLDER_OF_THE_PROGRAMS [RUNS]
# Each run is one of the ways below, in turn; a campaign has 1,000 of them (goal 8).
set -u
bin=$(realpath "$1")
runs=${2:-10}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

failed=0
fail() {
    echo "run $run, $way: $*" >&2
    failed=$((failed + 1))
}

# What is watched: a shell that runs the program and writes down how it ended, so that this is known whoever is killed.
watched() {
    printf '%s' "$bin/capture_subject $* >'$folder/out' 2>'$folder/err'; " \
        "echo \$? >'$folder/code.part'; mv '$folder/code.part' '$folder/code'"
}

# plain MODE...: the output and the exit code without a recorder, once for each.
declare -A plain
plain() {
    local key="$*"
    if [[ -z ${plain[$key]:-} ]]; then
        sh -c "$(watched "$@")"
        plain[$key]="$(<"$folder/code") $(md5sum <"$folder/out") $(md5sum <"$folder/err")"
        rm "$folder/code" "$folder/out" "$folder/err"
    fi
}
# same MODE...: it ended as it does alone. The recorder may be gone before it.
same() {
    local key="$*" i
    for ((i = 0; i < 600; ++i)); do
        [[ -f $folder/code ]] && break
        sleep 0.05
    done
    [[ -f $folder/code ]] || { fail "\"$key\" did not end: $(<record.err)"; return; }
    local now
    now="$(<"$folder/code") $(md5sum <"$folder/out") $(md5sum <"$folder/err")"
    [[ $now == "${plain[$key]}" ]] || fail "\"$key\" ended with $now, alone with ${plain[$key]}"
}
# record OPTIONS... -- MODE...
record() {
    local options=()
    while [[ $1 != -- ]]; do options+=("$1"); shift; done
    shift
    "$bin/residue" record --follow "${options[@]}" -- sh -c "$(watched "$@")" >record.out 2>record.err
}
opens() { "$bin/residue" report "$1" --json >report.json 2>report.err || fail "$1 does not open: $(<report.err)"; }

killed_recorder() {
    plain threads 3 100000
    record "$@" -o a.residue -- threads 3 100000 &
    local recorder=$! i
    for ((i = 0; i < 1000; ++i)); do
        [[ -e out ]] && break
        sleep 0.01
    done
    sleep "0.0$((run * 37 % 90 + 10))"
    pkill -KILL -P "$recorder" residue 2>/dev/null
    wait "$recorder" 2>/dev/null
    same threads 3 100000
}
# The same, where the program would wait for it as long as it lives.
killed_patient_recorder() { killed_recorder --wait; }
# A file system of 64 KiB, where one may be mounted.
full_disk() {
    plain threads 2 20000
    mkdir small
    # shellcheck disable=SC2016
    unshare "$apart" sh -c 'mount -t tmpfs -o size=64k none small && exec "$@"' sh \
        "$bin/residue" record --follow -o small/a.residue -- sh -c "$(watched threads 2 20000)" >record.out 2>record.err
    same threads 2 20000
    grep -q 'No space left' record.err || fail "it was not told that the disk is full: $(<record.err)"
}
no_dev_shm() {
    plain threads 2 20000
    # shellcheck disable=SC2016
    unshare "$apart" sh -c 'mount -t tmpfs -o size=4k,ro none /dev/shm && exec "$@"' sh \
        "$bin/residue" record --follow -o a.residue -- sh -c "$(watched threads 2 20000)" >record.out 2>record.err
    same threads 2 20000
    opens a.residue
}
no_folder() {
    plain kinds
    mkdir -p gone
    record -o gone/a.residue -- kinds &
    rm -rf gone
    wait $!
    [[ -f code ]] || return  # it was told so before the program was started
    same kinds
}
garbage_frame_pointers() {
    plain garbage
    record --call-traces=fp -o a.residue -- garbage
    same garbage
    opens a.residue
}
fork_storm() {
    plain spawns
    record -o a.residue -- spawns
    same spawns
    opens a.residue
}
heirs() {
    plain heirs
    record -o a.residue -- heirs
    same heirs
}
thread_exits() {
    plain short-threads 200
    record -o a.residue -- short-threads 200
    same short-threads 200
    opens a.residue
}
handlers() {
    plain signals
    record -o a.residue -- signals
    same signals
}
# It kills itself with SIGKILL after 1,000 allocations.
killed_program() {
    "$bin/residue" record -o a.residue -- "$bin/capture_subject" killed >/dev/null 2>record.err
    local code=$?
    ((code == 137)) || fail "exit code $code, 137 expected"
    opens a.residue
    local calls
    calls=$(grep -o '"allocations": *[0-9]*' report.json | head -n 1 | grep -o '[0-9]*$')
    ((calls >= 1000)) || fail "$calls allocations in the recording, at least 1000 expected"
}

ways=(killed_recorder killed_patient_recorder no_folder garbage_frame_pointers fork_storm heirs thread_exits handlers killed_program)
for apart in -m -Urm ""; do
    unshare "$apart" sh -c "mount -t tmpfs none '$folder'" 2>/dev/null && break
done
if [[ -n $apart ]]; then ways+=(full_disk no_dev_shm)
else echo "no file system can be mounted here: a full disk is left out"
fi
for ((run = 0; run < runs; ++run)); do
    way=${ways[run % ${#ways[@]}]}
    rm -rf ./*
    "$way"
done
((failed == 0)) || { echo "$failed of $runs runs went wrong" >&2; exit 1; }
echo "$runs runs ended as they do alone"
