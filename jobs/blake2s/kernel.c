/* Rows of blake2s, sixteen side by side. */
#include "blake2s/kernel.h"
#include "field/lane.h"
#include "gadgets/words_rows.h"

#include "blake2s/describe.h"
#include "gadgets/digest_lanes.h"

static void gather_messages(given *out, const pr_digest_rows *rows) {
    for (unsigned i = 0; i < PR_DIGEST_LANES; i++)
        for (unsigned k = 0; k < 16; k++) out[k][i] = rows->is_live[i] ? rows->walk->messages[rows->block[i]][k] : 0;
}

/* In the order in which each lane's round takes them. */
static void gather_ordered(given *out, const pr_digest_rows *rows) {
    for (unsigned i = 0; i < PR_DIGEST_LANES; i++) {
        const uint8_t *order = pr_blake2s_order[rows->is_live[i] ? rows->step[i] : 0];
        for (unsigned k = 0; k < 16; k++)
            out[k][i] = rows->is_live[i] ? rows->walk->messages[rows->block[i]][order[k]] : 0;
    }
}

static void fill_rounds(const pr_digest_rows *rows) {
    scribe s = digest_scribe(rows);
    blake2s_round_io io;
    digest_words words;
    given before[16], message[16];
    digest_inner(words, rows, PR_BLAKE2S_INNER, 0, 16);
    digest_gather(before, words, 16);
    gather_ordered(message, rows);
    blake2s_round(&s, &io, digest_multiplicity(rows), before, message);
}

static void fill_compressions(const pr_digest_rows *rows) {
    scribe s = digest_scribe(rows);
    blake2s_compression_io io;
    digest_words words;
    given before[8], message[16], states[PR_BLAKE2S_ROUNDS][16];
    word_bytes chain[8];
    digest_inner(words, rows, PR_BLAKE2S_INNER, 0, 0);
    digest_gather(before, words, 8);
    digest_inner(words, rows, PR_BLAKE2S_INNER, 16, 0);
    digest_gather(states[0], words, PR_BLAKE2S_ROUNDS * 16);
    gather_messages(message, rows);
    for (unsigned k = 0; k < 8; k++) chain[k] = bytes_of_given(&s, before[k]);
    blake2s_compression(&s, &io, chain, message, states);
}

void PR_LANE_NAME(pr_blake2s_rows)(const pr_digest_rows *rows) {
    if (rows->part == PR_BLAKE2S_PART_ROUND)
        fill_rounds(rows);
    else
        fill_compressions(rows);
}
