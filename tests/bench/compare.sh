#!/bin/sh
# Ours and a reference prover side by side: alternating runs, minimum of each. Prints one line a size.
#   tests/bench/compare.sh REFERENCE [LOG_ROWS ...]
# REFERENCE is a program that understands `bench wide-fibonacci LOG_ROWS COLUMNS REPEATS` and prints lines with
# "prove_ms N verify_ms N ... blake2s HEX". THREADS=1, ROUNDS=5, COLUMNS=100, BACKEND=auto, BINARY=build/proverun in the environment.
set -eu
reference=${1:?usage: compare.sh REFERENCE [LOG_ROWS ...]}
shift
[ $# -gt 0 ] || set -- 16 18 20
threads=${THREADS:-1} rounds=${ROUNDS:-5} columns=${COLUMNS:-100} backend=${BACKEND:-auto} binary=${BINARY:-build/proverun}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for log_rows in "$@"; do
    : >"$out/ours" && : >"$out/theirs"
    for round in $(seq "$rounds"); do
        "$binary" bench wide-fibonacci --log-rows "$log_rows" --columns "$columns" --repeat 2 --threads "$threads" \
            --backend "$backend" >>"$out/ours"
        RAYON_NUM_THREADS=$threads "$reference" bench wide-fibonacci "$log_rows" "$columns" 2 >>"$out/theirs"
    done
    sed 's/[{}",:]/ /g' "$out/ours" | awk '{ for (i = 1; i < NF; i++) { if ($i == "prove_ms") p = $(i+1); if ($i == "verify_ms") v = $(i+1);
        if ($i == "peak_rss_bytes") m = $(i+1); if ($i == "proof_json_blake2s") h = $(i+1) }
        if (!n++ || p < best) best = p; if (n == 1 || v < vbest) vbest = v; if (m > peak) peak = m }
        END { print best, vbest, peak, h }' >"$out/a"
    awk '{ for (i = 1; i < NF; i++) { if ($i == "prove_ms") p = $(i+1); if ($i == "verify_ms") v = $(i+1); if ($i == "blake2s") h = $(i+1) }
        if ($1 == "run") { if (!n++ || p < best) best = p; if (n == 1 || v < vbest) vbest = v } } END { print best, vbest, h }' \
        "$out/theirs" >"$out/b"
    paste -d' ' "$out/a" "$out/b" | awk -v l="$log_rows" -v c="$columns" -v t="$threads" -v b="$backend" '{ printf \
        "2^%s x %s, %s thread(s), %s: prove %.1f ms, reference %.1f ms, ratio %.3f; verify %.3f ms, reference %.3f ms, ratio %.3f; peak %.0f MB; digests %s\n", \
        l, c, t, b, $1, $5, $1 / $5, $2, $6, $2 / $6, $3 / 1e6, ($4 == $7 ? "equal" : "DIFFER") }'
done
