/* Rows of sha256, sixteen side by side. */
#include "sha256/kernel.h"
#include "field/lane.h"
#include "gadgets/words_rows.h"

#include "gadgets/digest_lanes.h"
#include "sha256/describe.h"

static void gather(given *out, const pr_digest_rows *rows, uint32_t first, uint32_t stride, unsigned n) {
    digest_words words;
    digest_inner(words, rows, PR_SHA256_INNER, first, stride);
    digest_gather(out, words, n);
}

/* Halves of the words of the schedule and of the constants, added. */
static void gather_added(given *lo, given *hi, const pr_digest_rows *rows) {
    given words[PR_SHA256_STEP];
    gather(words, rows, 0, PR_SHA256_STEP, PR_SHA256_STEP);
    for (unsigned k = 0; k < PR_SHA256_STEP; k++) {
        given constant;
        for (unsigned i = 0; i < PR_DIGEST_LANES; i++)
            constant[i] = rows->is_live[i] ? pr_sha256_k[PR_SHA256_STEP * rows->step[i] + k] : 0;
        lo[k] = (words[k] & 0xffff) + (constant & 0xffff);
        hi[k] = (words[k] >> 16) + (constant >> 16);
    }
}

static void fill_rounds(const pr_digest_rows *rows) {
    scribe s = digest_scribe(rows);
    sha256_rounds_io io;
    given before[8], lo[PR_SHA256_STEP], hi[PR_SHA256_STEP];
    gather(before, rows, PR_SHA256_INNER_STATES, 8, 8);
    gather_added(lo, hi, rows);
    sha256_rounds(&s, &io, digest_multiplicity(rows), before, lo, hi);
}

static void fill_schedule(const pr_digest_rows *rows) {
    scribe s = digest_scribe(rows);
    sha256_schedule_io io;
    given words[16];
    gather(words, rows, 0, PR_SHA256_STEP, 16);
    sha256_schedule(&s, &io, digest_multiplicity(rows), words);
}

static void fill_compressions(const pr_digest_rows *rows) {
    scribe s = digest_scribe(rows);
    sha256_compression_io io;
    given before[8], words[64], states[PR_SHA256_ROUND_ROWS][8];
    word_halves chain[8];
    gather(before, rows, PR_SHA256_INNER_STATES, 0, 8);
    gather(words, rows, 0, 0, 64);
    gather(states[0], rows, PR_SHA256_INNER_STATES + 8, 0, 8 * PR_SHA256_ROUND_ROWS);
    for (unsigned k = 0; k < 8; k++) chain[k] = halves_of_given(&s, before[k]);
    sha256_compression(&s, &io, chain, words, states);
}

void PR_LANE_NAME(pr_sha256_rows)(const pr_digest_rows *rows) {
    if (rows->part == PR_SHA256_PART_ROUNDS)
        fill_rounds(rows);
    else if (rows->part == PR_SHA256_PART_SCHEDULE)
        fill_schedule(rows);
    else
        fill_compressions(rows);
}
