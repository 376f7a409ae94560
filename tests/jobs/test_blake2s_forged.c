/* Every constraint and every lookup of blake2s is needed: for each there is a trace that it alone refuses. The trace is
 * honest but for one cell; everything that follows from the lie is computed honestly, the digest that comes out is the
 * claim, and multiplicities are counted anew, so that nothing else can notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#define PR_WORDS_LANES 1
#define PR_WORDS_LIES
#include "gadgets/words_rows.h"

#include "blake2s/describe.h"
#include "blake2s/job.h"
#include "soundness.h"

static const pr_job_type *const type = &pr_job_blake2s;

/* Four blocks, the last of 37 bytes: a component of 32 rounds, one of 8 and zeros, 12 compressions that pad. */
enum { LENGTH = 229, BLOCKS = 4, ROUND_ROWS = 32, BYTES = 3, COMPRESSIONS = 2, STRIP = 512 };

typedef struct lie {
    uint32_t part, block, round; /* round: of part PR_BLAKE2S_PART_ROUND */
    uint32_t column, amount;
} lie;
static const lie no_lie = {.part = UINT32_MAX};

typedef struct forge {
    word_lie at; /* the lie as a scribe tells it */
    traces *t;
    lie told;
    uint32_t *counts[PR_BYTE_OPS];
    uint32_t strip[STRIP][1];
} forge;

/* A half that is less than nothing is an element of the field that is near p. */
static uint32_t signed_of(pr_m31 x) { return x > PR_P / 2 ? x - PR_P : x; }
static uint32_t word_of(word_halves x) { return signed_of(x.lo[0]) + (signed_of(x.hi[0]) << 16); }

static scribe begin(forge *f, uint32_t lie_column) {
    f->at = (word_lie){lie_column, f->told.amount > PR_P ? f->told.amount + PR_P : f->told.amount};
    return (scribe){.strip = f->strip, .counts = f->counts, .n_lanes = 1, .lies = &f->at, .n_lies = 1};
}

static void put_row(forge *f, uint32_t component, uint32_t row, uint32_t n) {
    assert_int_equal(n, f->t->air->components[component].n_columns);
    for (uint32_t k = 0; k < n; k++) f->t->columns[component][k][row] = f->strip[k][0];
}

/* A half of the message that the block's row lies about is the same lie in each of its rounds. */
static uint32_t message_column(const forge *f, uint32_t block, uint32_t round) {
    const uint32_t first = 32, columns = 32;
    if (f->told.part != PR_BLAKE2S_PART_COMPRESSION || f->told.block != block) return UINT32_MAX;
    if (f->told.column < first || f->told.column >= first + columns) return UINT32_MAX;
    uint32_t half = f->told.column - first;
    for (uint32_t k = 0; k < 16; k++)
        if (pr_blake2s_order[round][k] == half / 2) return 1 + 48 + 2 * k + half % 2;
    return UINT32_MAX;
}

static void forge_round(forge *f, given out[16], const given in[16], const given *message, uint32_t block,
                        uint32_t round) {
    bool here = f->told.part == PR_BLAKE2S_PART_ROUND && f->told.block == block && f->told.round == round;
    scribe s = begin(f, here ? f->told.column : message_column(f, block, round));
    uint32_t row = round * BLOCKS + block;
    blake2s_round_io io;
    given ordered[16], one = {1};
    for (int k = 0; k < 16; k++) ordered[k] = message[pr_blake2s_order[round][k]];
    blake2s_round(&s, &io, one, in, ordered);
    for (int k = 0; k < 16; k++) out[k] = (given){word_of(io.out[k])};
    put_row(f, row < ROUND_ROWS ? 0 : 1, row % ROUND_ROWS, s.n_columns);
}

/* The row of the compression lies about a state between rounds: the next round starts from the lie. */
static void lie_between(const forge *f, given state[16], uint32_t block, uint32_t round) {
    uint32_t first = 64 + 32 * round;
    if (f->told.part != PR_BLAKE2S_PART_COMPRESSION || f->told.block != block || round == 9) return;
    if (f->told.column < first || f->told.column >= first + 32) return;
    state[(f->told.column - first) / 2] += f->told.amount << 16 * (f->told.column % 2);
}

static void forge_block(forge *f, uint32_t chain[8], const uint32_t *words, uint32_t block) {
    bool here = f->told.part == PR_BLAKE2S_PART_COMPRESSION && f->told.block == block;
    uint32_t column = here ? f->told.column : UINT32_MAX;
    given message[16], state[16], states[10][16];
    word_bytes start[8];
    scribe s = begin(f, column);
    for (int k = 0; k < 16; k++) message[k] = (given){words[k]};
    for (int k = 0; k < 8; k++) {
        start[k] = bytes_of_given(&s, (given){chain[k]});
        state[k] = (given){word_of(halves_of_bytes(&s, start[k]))};
        state[k + 8] = (given){pr_blake2s_iv[k]};
    }
    state[12] = (given){pr_blake2s_word_12(LENGTH, BLOCKS, block)};
    state[14] = (given){pr_blake2s_word_14(BLOCKS, block)};
    for (uint32_t round = 0; round < 10; round++) {
        forge_round(f, states[round], state, message, block, round);
        memcpy(state, states[round], sizeof state);
        lie_between(f, state, block, round);
    }
    /* the strip was used for the rounds: write the chain's columns again */
    s = begin(f, column);
    for (int k = 0; k < 8; k++) bytes_of_given(&s, (given){chain[k]});
    blake2s_compression_io io;
    blake2s_compression(&s, &io, start, message, states);
    put_row(f, COMPRESSIONS, block, s.n_columns);
    for (int k = 0; k < 8; k++) chain[k] = word_of(halves_of_bytes(&s, io.out[k]));
}

static void count_zero_rows(forge *f) {
    static const given zeros[10][16];
    for (uint32_t k = BLOCKS * 10; k < 48; k++) {
        scribe s = {.counts = f->counts, .n_lanes = 1};
        blake2s_round_io io;
        blake2s_round(&s, &io, zeros[0][0], zeros[0], zeros[0]);
    }
    f->t->columns[1][0][BLOCKS * 10 - ROUND_ROWS] = 10 * (16 - BLOCKS);
    for (uint32_t k = BLOCKS; k < 16; k++) {
        scribe s = {.counts = f->counts, .n_lanes = 1};
        blake2s_compression_io io;
        word_bytes chain[8] = {0};
        blake2s_compression(&s, &io, chain, zeros[0], zeros);
    }
}

/* words: [BLOCKS][16]. t: of zeros or a forged trace before. Puts the digest that comes out. */
static void forge_trace(traces *t, uint8_t digest[32], uint32_t (*words)[16], lie told) {
    static const pr_byte_op ops[4] = {PR_BYTE_XOR, PR_BYTE_XOR_4, PR_BYTE_XOR_7, PR_BYTE_PAIR};
    forge f = {.t = t, .told = told};
    uint32_t chain[8];
    for (int k = 0; k < 4; k++) {
        f.counts[ops[k]] = t->columns[BYTES][k];
        memset(f.counts[ops[k]], 0, PR_BYTE_ROWS * sizeof(pr_m31));
    }
    memcpy(chain, pr_blake2s_start, sizeof chain);
    for (uint32_t block = 0; block < BLOCKS; block++) forge_block(&f, chain, words[block], block);
    uint32_t last = words[BLOCKS - 1][36 / 4] & 0xffff; /* byte 36 of the last block, and what is above it */
    if (last < 256) f.counts[PR_BYTE_XOR][last]++;
    count_zero_rows(&f);
    for (int k = 0; k < 32; k++) digest[k] = (uint8_t)(chain[k / 4] >> 8 * (k % 4));
}

static void fill_words(uint32_t (*words)[16], uint64_t *random) {
    memset(words, 0, BLOCKS * sizeof *words);
    for (uint32_t i = 0; random && i < LENGTH; i++)
        words[i / 64][i % 64 / 4] |= (uint32_t)(next_random(random) & 255) << 8 * (i % 4);
}

typedef struct suite {
    uint32_t (*words)[16];
    uint8_t digest[32];
    pr_job_instance *job;
    traces honest, forged;
    needs *needed;
} suite;

static suite suite_create(uint32_t (*words)[16]) {
    suite x = {.words = words};
    const uint8_t nothing[32] = {0};
    pr_job_instance *shape = claim_digest(type, LENGTH, nothing);
    x.forged = traces_zero(type->air(shape));
    forge_trace(&x.forged, x.digest, words, no_lie);
    x.job = claim_digest(type, LENGTH, x.digest);
    x.forged.air = type->air(x.job);
    x.honest = traces_copy(&x.forged);
    pr_instance_destroy(type, shape);
    pr_statement st = plain_statement(type->air(x.job));
    assert_traces_hold(&st, &x.honest);
    return x;
}

static void suite_destroy(suite *x) {
    traces_destroy(&x->honest);
    traces_destroy(&x->forged);
    pr_instance_destroy(type, x->job);
}

/* Another half of the message is another file: no lie, as long as it is 16 bits before the file's end. */
static bool is_free(lie told) {
    uint32_t half = told.column - 32;
    return told.part == PR_BLAKE2S_PART_COMPRESSION && told.column >= 32 && told.column < 64 &&
           (told.block < BLOCKS - 1 || half <= 18);
}

static void tell(suite *x, lie told) {
    uint8_t digest[32];
    forge_trace(&x->forged, digest, x->words, told);
    culprits found = find_culprits(type->air(x->job), &x->honest, &x->forged, "digest");
    if (!found.is_noticed && !is_free(told))
        fail_msg("part %u block %u round %u: a lie in column %u was not noticed", told.part, told.block, told.round,
                 told.column);
    needs_note(x->needed, &found);
}

static void tell_rounds(suite *x, uint32_t amount) {
    static const uint32_t rounds[2][2] = {{3, 7}, {3, 9}}; /* block, round: the last of each component */
    for (int k = 0; k < 2; k++)
        for (uint32_t column = 1; column < PR_BLAKE2S_ROUND_COLUMNS; column++)
            tell(x, (lie){PR_BLAKE2S_PART_ROUND, rounds[k][0], rounds[k][1], column, amount});
}

static void tell_compressions(suite *x, uint32_t amount) {
    for (uint32_t column = 0; column < PR_BLAKE2S_COMPRESSION_COLUMNS; column++)
        tell(x, (lie){PR_BLAKE2S_PART_COMPRESSION, BLOCKS - 1, 0, column, amount});
    for (uint32_t column = 0; column < 32; column += 5) /* where the chain begins */
        tell(x, (lie){PR_BLAKE2S_PART_COMPRESSION, 0, 0, column, amount});
}

/* The claim of another digest for the honest trace. */
static void tell_digests(suite *x) {
    for (int k = 0; k < 32; k++) {
        uint8_t digest[32];
        memcpy(digest, x->digest, 32);
        digest[k] ^= 1;
        pr_job_instance *liar = claim_digest(type, LENGTH, digest);
        pr_statement st = plain_statement(type->air(liar));
        const pr_air_component *c = &type->air(liar)->components[COMPRESSIONS];
        char name[32];
        snprintf(name, sizeof name, "digest, byte %d", k);
        assert_int_equal(count_findings(&st, &x->honest), 1);
        for (uint32_t i = 0; i < c->n_constraints; i++)
            if (strcmp(c->constraints[i].name, name) == 0) x->needed->constraints[COMPRESSIONS][i] = true;
        pr_instance_destroy(type, liar);
    }
}

/* What one message can tell. */
static void tell_message(suite *x, needs *needed) {
    x->needed = needed;
    tell_rounds(x, 1);
    tell_rounds(x, UINT32_MAX);
    tell_compressions(x, 1); /* a byte of 255 or 0 is told in one of the two */
    tell_compressions(x, UINT32_MAX);
    /* beyond the last byte, in the half that it shares */
    tell(x, (lie){PR_BLAKE2S_PART_COMPRESSION, BLOCKS - 1, 0, 32 + 18, 256});
}

/* Bytes at the ends of their range keep a lie about a sum from being told as it should: another message tells it. */
static uint32_t tell_further_messages(needs *needed, uint64_t *random) {
    uint32_t words[BLOCKS][16], missing = needs_print_missing(needed);
    for (int k = 0; missing && k < 7; k++) {
        fill_words(words, random);
        suite x = suite_create(words);
        tell_message(&x, needed);
        suite_destroy(&x);
        missing = needs_print_missing(needed);
    }
    return missing;
}

static void everything_is_needed(void **state) {
    (void)state;
    uint64_t random = test_seed();
    uint32_t words[BLOCKS][16], zeros[BLOCKS][16];
    fill_words(words, &random);
    fill_words(zeros, NULL);
    suite x = suite_create(words);
    needs needed = needs_create(type->air(x.job), &x.honest);
    tell_message(&x, &needed);
    tell_digests(&x);
    suite y = suite_create(zeros); /* less than nothing is no half */
    y.needed = &needed;
    for (uint32_t column = 32; column < 64; column++)
        tell(&y, (lie){PR_BLAKE2S_PART_COMPRESSION, BLOCKS - 2, 0, column, UINT32_MAX});
    uint32_t missing = tell_further_messages(&needed, &random);
    needs_destroy(&needed);
    suite_destroy(&x);
    suite_destroy(&y);
    assert_int_equal(missing, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(everything_is_needed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
