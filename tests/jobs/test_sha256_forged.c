/* Every constraint and every lookup of sha256 is needed: for each there is a trace that it alone refuses. The trace is
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

#include "sha256/describe.h"
#include "sha256/job.h"
#include "soundness.h"

static const pr_job_type *const type = &pr_job_sha256;

/* 249 bytes: four blocks and, because 57 bytes are left, a fifth that is all padding. Components of 32 and 16 rows of
 * rounds, one of 32 of the schedule; eleven compressions pad. */
enum {
    LENGTH = 249,
    BLOCKS = 5,
    ROUND_ROWS = 32,
    SCHEDULE = 2, /* components */
    COMPRESSIONS = 3,
    BYTES = 4,
    CUTS = 5,
    STRIP = 1200,
    WORDS = 16, /* columns of the compressions: those of the schedule, of states, of the sums */
    STATES = WORDS + 2 * 64,
    SUMS = STATES + 16 * PR_SHA256_ROUND_ROWS
};

typedef struct lie {
    uint32_t part, block, row; /* row: of that block in its part */
    uint32_t column, amount;
    const word_lie *lies; /* of the row, more than one; or NULL */
    unsigned n_lies;
} lie;
static lie lie_of(uint32_t part, uint32_t block, uint32_t row, uint32_t column, uint32_t amount) {
    return (lie){.part = part, .block = block, .row = row, .column = column, .amount = amount};
}
static const lie no_lie = {.part = UINT32_MAX};

typedef struct forge {
    traces *t;
    lie told;
    word_lie at[2];            /* as a scribe tells it */
    word_halves last_words[2]; /* of the schedule, as the forged row has them */
    uint32_t *counts[PR_DIGEST_TABLES];
    uint32_t strip[STRIP][1];
} forge;

/* A half that is less than nothing is an element of the field that is near p. */
static uint32_t signed_of(pr_m31 x) { return x > PR_P / 2 ? x - PR_P : x; }
static pr_m31 field_of(uint32_t x) { return x > PR_P ? x + PR_P : x; }
static uint32_t word_of(word_halves x) { return signed_of(x.lo[0]) + (signed_of(x.hi[0]) << 16); }

static scribe begin(forge *f, uint32_t lie_column) {
    f->at[0] = (word_lie){lie_column, field_of(f->told.amount)};
    return (scribe){.strip = f->strip, .counts = f->counts, .n_lanes = 1, .lies = f->at, .n_lies = 1};
}

static void tell_all(scribe *s, const forge *f) {
    if (f->told.lies) s->lies = f->told.lies, s->n_lies = f->told.n_lies;
}

static bool is_here(const forge *f, uint32_t part, uint32_t block, uint32_t row) {
    return f->told.part == part && f->told.block == block && f->told.row == row;
}

static void put_row(forge *f, uint32_t component, uint32_t row, uint32_t n) {
    assert_int_equal(n, f->t->air->components[component].n_columns);
    for (uint32_t k = 0; k < n; k++) f->t->columns[component][k][row] = f->strip[k][0];
}

/* The compression lies about a half of a word whose columns begin at first: everything behind starts from the lie. */
static uint32_t told_half(const forge *f, uint32_t block, uint32_t first, uint32_t word) {
    if (!is_here(f, PR_SHA256_PART_COMPRESSION, block, 0) || f->told.column / 2 != first / 2 + word) return 0;
    return f->told.amount << 16 * (f->told.column % 2);
}

/* Halves of the first word are told as they are, even if they are no halves: the same lie where rows read them. */
static uint32_t first_word(const forge *f, uint32_t block, uint32_t column) {
    if (!is_here(f, PR_SHA256_PART_COMPRESSION, block, 0) || f->told.column / 2 != WORDS / 2) return UINT32_MAX;
    return column + f->told.column % 2;
}

/* The halves of a word as they are, where a scribe would write the halves of its value. */
static void lie_as(forge *f, scribe *s, word_halves x, uint32_t column) {
    uint32_t word = word_of(x);
    if (x.lo[0] == (word & 0xffff) && x.hi[0] == word >> 16) return;
    f->at[0] = (word_lie){column, pr_m31_sub(x.lo[0], word & 0xffff)};
    f->at[1] = (word_lie){column + 1, pr_m31_sub(x.hi[0], word >> 16)};
    s->n_lies = 2;
}

static void lie_as_last_words(forge *f, scribe *s, uint32_t column) {
    for (uint32_t k = 0; k < 2; k++) lie_as(f, s, f->last_words[k], column + 2 * k);
}

static void forge_schedule(forge *f, given words[64], uint32_t block) {
    for (uint32_t k = 0; k < PR_SHA256_SCHEDULE_ROWS; k++) {
        bool here = is_here(f, PR_SHA256_PART_SCHEDULE, block, k);
        scribe s = begin(f, here ? f->told.column : k == 0 ? first_word(f, block, 1) : UINT32_MAX);
        if (here) tell_all(&s, f);
        sha256_schedule_io io;
        given *in = words + PR_SHA256_STEP * k, told[16], one = {1};
        for (uint32_t i = 0; i < 16; i++)
            told[i] = in[i] + (k + i ? told_half(f, block, WORDS, PR_SHA256_STEP * k + i) : 0);
        sha256_schedule(&s, &io, one, told);
        for (uint32_t i = 16; i < 16 + PR_SHA256_STEP; i++) in[i] = (given){word_of(io.words[i])};
        put_row(f, SCHEDULE, k * BLOCKS + block, s.n_columns);
        memcpy(f->last_words, io.words + 22, sizeof f->last_words);
    }
}

static void forge_rounds(forge *f, given (*states)[8], const word_halves *chain, const given *words, uint32_t block) {
    given before[8];
    for (uint32_t k = 0; k < 8; k++) before[k] = (given){word_of(chain[k])};
    for (uint32_t k = 0; k < PR_SHA256_ROUND_ROWS; k++) {
        bool here = is_here(f, PR_SHA256_PART_ROUNDS, block, k);
        scribe s = begin(f, here ? f->told.column : k == 0 ? first_word(f, block, 53) : UINT32_MAX);
        if (here) tell_all(&s, f);
        sha256_rounds_io io;
        given lo[PR_SHA256_STEP], hi[PR_SHA256_STEP], one = {1};
        uint32_t row = k * BLOCKS + block;
        if (k == 0) lie_as(f, &s, chain[3], 25), lie_as(f, &s, chain[7], 51); /* d, h: as halves */
        if (k == 7) lie_as_last_words(f, &s, 53 + 12);
        for (uint32_t i = 0; i < PR_SHA256_STEP; i++) {
            uint32_t at = PR_SHA256_STEP * k + i;
            given word = words[at] + (at ? told_half(f, block, WORDS, at) : 0);
            lo[i] = (word & 0xffff) + (pr_sha256_k[at] & 0xffff);
            hi[i] = (word >> 16) + (pr_sha256_k[at] >> 16);
        }
        sha256_rounds(&s, &io, one, before, lo, hi);
        for (uint32_t i = 0; i < 8; i++) {
            states[k][i] = (given){word_of(io.out[i])};
            bool is_last = k + 1 == PR_SHA256_ROUND_ROWS;
            before[i] = states[k][i] + (is_last ? 0 : told_half(f, block, STATES + 16 * k, i));
        }
        put_row(f, row >= ROUND_ROWS, row % ROUND_ROWS, s.n_columns);
    }
}

static void forge_block(forge *f, word_halves chain[8], const uint32_t *message, uint32_t block) {
    uint32_t column = is_here(f, PR_SHA256_PART_COMPRESSION, block, 0) ? f->told.column : UINT32_MAX;
    given words[64], states[PR_SHA256_ROUND_ROWS][8];
    word_halves start[8];
    for (uint32_t k = 0; k < 16; k++) words[k] = (given){message[k]};
    for (uint32_t k = 0; k < 8; k++) {
        start[k] = chain[k];
        if (column == 2 * k) start[k].lo[0] = pr_m31_add(start[k].lo[0], field_of(f->told.amount));
        if (column == 2 * k + 1) start[k].hi[0] = pr_m31_add(start[k].hi[0], field_of(f->told.amount));
    }
    forge_schedule(f, words, block);
    forge_rounds(f, states, start, words, block);
    scribe s = begin(f, column);
    lie_as_last_words(f, &s, WORDS + 2 * 62);
    for (uint32_t k = 0; k < 8; k++) {
        start[k].lo = put(&s, chain[k].lo);
        start[k].hi = put(&s, chain[k].hi);
    }
    sha256_compression_io io;
    sha256_compression(&s, &io, start, words, states);
    put_row(f, COMPRESSIONS, block, s.n_columns);
    memcpy(chain, io.out, sizeof io.out);
}

static void count_zero_rows(forge *f) {
    static const given zeros[64], states[PR_SHA256_ROUND_ROWS][8];
    static const word_halves chain[8];
    sha256_rounds_io rounds;
    sha256_schedule_io schedule;
    sha256_compression_io compression;
    for (uint32_t k = PR_SHA256_ROUND_ROWS * BLOCKS; k < 48; k++) {
        scribe s = {.counts = f->counts, .n_lanes = 1};
        sha256_rounds(&s, &rounds, zeros[0], zeros, zeros, zeros);
        if (k < 32) sha256_schedule(&s, &schedule, zeros[0], zeros);
    }
    for (uint32_t k = PR_SHA256_SCHEDULE_ROWS * BLOCKS; k < 32; k++) {
        scribe s = {.counts = f->counts, .n_lanes = 1};
        sha256_schedule(&s, &schedule, zeros[0], zeros);
    }
    for (uint32_t k = BLOCKS; k < 16; k++) {
        scribe s = {.counts = f->counts, .n_lanes = 1};
        sha256_compression(&s, &compression, chain, zeros, states);
    }
    f->t->columns[1][0][PR_SHA256_ROUND_ROWS * BLOCKS - ROUND_ROWS] = PR_SHA256_ROUND_ROWS * (16 - BLOCKS);
    f->t->columns[SCHEDULE][0][PR_SHA256_SCHEDULE_ROWS * BLOCKS] = PR_SHA256_SCHEDULE_ROWS * (16 - BLOCKS);
}

/* messages: [BLOCKS][16]. t: of zeros or a forged trace before. Puts the digest that comes out. */
static void forge_trace(traces *t, uint8_t digest[32], uint32_t (*messages)[16], lie told) {
    forge f = {.t = t, .told = told};
    word_halves chain[8];
    for (uint32_t k = 0; k < pr_sha256_kind.n_ops; k++) {
        f.counts[pr_sha256_kind.ops[k]] = t->columns[BYTES][k];
        memset(t->columns[BYTES][k], 0, PR_BYTE_ROWS * sizeof(pr_m31));
    }
    for (uint32_t k = 0; k < pr_sha256_kind.n_splits; k++) {
        f.counts[PR_BYTE_OPS + pr_sha256_kind.splits[k]] = t->columns[CUTS][k];
        memset(t->columns[CUTS][k], 0, PR_SPLIT_ROWS * sizeof(pr_m31));
    }
    for (int k = 0; k < 8; k++)
        chain[k] = (word_halves){(cell){pr_sha256_start[k] & 0xffff}, (cell){pr_sha256_start[k] >> 16}};
    for (uint32_t block = 0; block < BLOCKS; block++) forge_block(&f, chain, messages[block], block);
    uint32_t last = messages[LENGTH / 64][LENGTH % 64 / 4]; /* the file's last byte, and the 0x80 behind it */
    if ((last >> 16 & 255) == 0x80) f.counts[PR_BYTE_XOR][last >> 24]++;
    count_zero_rows(&f);
    for (int k = 0; k < 32; k++) digest[k] = (uint8_t)(word_of(chain[k / 4]) >> (24 - 8 * (k % 4)));
}

typedef struct suite {
    uint32_t (*messages)[16];
    uint8_t digest[32];
    pr_job_instance *job;
    traces honest, forged;
    needs *needed;
} suite;

/* A file of random bytes behind n_zeros. */
static suite suite_create(uint32_t (*messages)[16], uint64_t *random, uint32_t n_zeros) {
    suite x = {.messages = messages};
    uint8_t data[LENGTH] = {0};
    const uint8_t nothing[32] = {0};
    pr_job_instance *shape = claim_digest(type, LENGTH, nothing);
    for (uint32_t i = n_zeros; i < LENGTH; i++) data[i] = (uint8_t)next_random(random);
    memset(messages, 0, BLOCKS * sizeof *messages);
    pr_sha256_kind.cut(messages, data, LENGTH);
    x.forged = traces_zero(type->air(shape));
    forge_trace(&x.forged, x.digest, messages, no_lie);
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

/* Another half of the message is another file: no lie, as long as it stands before the file's end. */
static bool is_free(lie told) {
    return told.part == PR_SHA256_PART_COMPRESSION && told.column >= WORDS && told.column < WORDS + 32 &&
           told.block < BLOCKS - 1;
}

static culprits look_for(suite *x, lie told) {
    uint8_t digest[32];
    forge_trace(&x->forged, digest, x->messages, told);
    return find_culprits(type->air(x->job), &x->honest, &x->forged, "digest");
}

static void tell(suite *x, lie told) {
    culprits found = look_for(x, told);
    if (!found.is_noticed && !is_free(told))
        fail_msg("part %u block %u row %u: a lie in column %u was not noticed", told.part, told.block, told.row,
                 told.column);
    needs_note(x->needed, &found);
}

static void tell_columns(suite *x, uint32_t part, uint32_t row, uint32_t first, uint32_t n, uint32_t amount) {
    for (uint32_t column = first; column < first + n; column++) tell(x, lie_of(part, BLOCKS - 1, row, column, amount));
}

/* A word in parts, turned falsely: any bytes may be claimed for the turned word (one more in one of them), and parts
 * are found in the field that sum to the true bytes and to those. m: where the second part begins; u, v: what is below
 * and above in a byte x. Then u + 2^m v = x and v + 2^(8 - m) u of the byte behind = the turned byte; so u[k] = x[k] -
 * 2^m turned[k] + 2^8 u[k + 1] around the four bytes, and 1 - 2^32 = -1. Every other cut stays true. */
static void find_false_parts(word_lie lies[8], const pr_m31 *parts[16], uint32_t row, pr_split split, uint32_t column) {
    const unsigned m = pr_split_at(split, 1);
    uint32_t x[4] = {0}, turned[4];
    pr_m31 u[5] = {0}, sum = 0;
    for (unsigned k = 0; k < 16; k++) x[k / 4] += parts[k][row] << pr_split_at(split, k % 4);
    for (unsigned k = 0; k < 4; k++) turned[k] = (x[k] >> m) + (x[(k + 1) % 4] << (8 - m) & 255);
    turned[turned[0] == 255]++;
    for (unsigned k = 4; k-- > 0;)
        sum = pr_m31_add(pr_m31_mul(sum, 256), pr_m31_sub(x[k], pr_m31_mul(1u << m, turned[k])));
    u[4] = pr_m31_neg(sum);
    for (unsigned k = 4; k-- > 0;)
        u[k] = pr_m31_add(pr_m31_sub(x[k], pr_m31_mul(1u << m, turned[k])), pr_m31_mul(256, u[k + 1]));
    assert_int_equal(u[0], u[4]);
    for (unsigned k = 0; k < 4; k++) {
        pr_m31 more = pr_m31_sub(u[k], x[k] & ((1u << m) - 1));
        lies[2 * k] = (word_lie){column + 4 * k, more};
        lies[2 * k + 1] = (word_lie){column + 4 * k + 1, pr_m31_mul(pr_m31_neg(more), 1u << (31 - m))};
    }
}

static void tell_parts(suite *x, uint32_t part, uint32_t component, uint32_t step, pr_split split, uint32_t column) {
    const pr_m31 *parts[16];
    word_lie lies[8];
    uint32_t row = step * BLOCKS + BLOCKS - 1 - (component == 1 ? ROUND_ROWS : 0);
    for (uint32_t k = 0; k < 16; k++) parts[k] = x->honest.columns[component][column + k];
    find_false_parts(lies, parts, row, split, column);
    lie told = {.part = part, .block = BLOCKS - 1, .row = step, .lies = lies, .n_lies = 8};
    culprits found = look_for(x, told);
    needs_note_group(x->needed, &found, 4);
}

static void tell_all_parts(suite *x) {
    for (uint32_t component = 0; component < 2; component++) {
        uint32_t step = component ? 7 : 5;
        for (uint32_t word = 0; word < 18; word++) {
            bool is_a = word % 2;
            uint32_t column = word < 2 ? 1 + 26 * (1 - word) : 69 + 72 * (word / 2 - 1) + (is_a ? 54 : 36);
            tell_parts(x, PR_SHA256_PART_ROUNDS, component, step, is_a ? PR_SPLIT_2312 : PR_SPLIT_1232, column);
        }
    }
    for (uint32_t word = 0; word < 8; word++)
        tell_parts(x, PR_SHA256_PART_SCHEDULE, SCHEDULE, 5, PR_SPLIT_2141, 3 + 16 * word);
    for (uint32_t word = 0; word < 8; word++)
        tell_parts(x, PR_SHA256_PART_SCHEDULE, SCHEDULE, 5, PR_SPLIT_1115,
                   word < 2 ? 141 + 16 * word : 173 + 34 * (word - 2) + 16);
}

/* In the last block, so that little follows; the fifth row of rounds is in the first component, the eighth in the
 * second. */
static void tell_functions(suite *x, uint32_t amount) {
    tell_columns(x, PR_SHA256_PART_ROUNDS, 5, 1, PR_SHA256_ROUNDS_COLUMNS - 1, amount);
    tell_columns(x, PR_SHA256_PART_ROUNDS, 7, 1, PR_SHA256_ROUNDS_COLUMNS - 1, amount);
    tell_columns(x, PR_SHA256_PART_SCHEDULE, 5, 1, PR_SHA256_SCHEDULE_COLUMNS - 1, amount);
}

/* The last two words of the schedule are read as halves alone. */
static void tell_last_words(suite *x) {
    for (uint32_t block = 0; block < BLOCKS; block++)
        for (uint32_t k = 0; k < 4; k++) {
            uint32_t column = PR_SHA256_SCHEDULE_COLUMNS + k % 2 - (k < 2 ? 24u : 4u);
            tell(x, lie_of(PR_SHA256_PART_SCHEDULE, block, 5, column, 1u << 16));
            tell(x, lie_of(PR_SHA256_PART_SCHEDULE, block, 5, column, UINT32_MAX << 16));
        }
}

/* A half of the sum that a block leaves, in a block that is followed: it may be 2^16 more or less. */
static void tell_followed_sums(suite *x) {
    for (uint32_t block = 0; block + 1 < BLOCKS; block++)
        for (uint32_t column = SUMS; column < PR_SHA256_COMPRESSION_COLUMNS; column++) {
            tell(x, lie_of(PR_SHA256_PART_COMPRESSION, block, 0, column, 1u << 16));
            tell(x, lie_of(PR_SHA256_PART_COMPRESSION, block, 0, column, UINT32_MAX << 16));
        }
}

static void tell_ends(suite *x) {
    for (uint32_t column = WORDS; column < WORDS + 32; column++) {
        tell(x, lie_of(PR_SHA256_PART_COMPRESSION, BLOCKS - 2, 0, column, 1));
        tell(x, lie_of(PR_SHA256_PART_COMPRESSION, BLOCKS - 1, 0, column, 1));
    }
    /* the half of the last byte: less in what stands behind the byte */
    tell(x, lie_of(PR_SHA256_PART_COMPRESSION, BLOCKS - 2, 0, WORDS + 2 * (LENGTH % 64 / 4) + 1, UINT32_MAX));
}

static void tell_digests(suite *x) {
    for (int k = 0; k < 16; k++) {
        uint8_t digest[32];
        memcpy(digest, x->digest, 32);
        digest[2 * k + 1] ^= 1;
        pr_job_instance *liar = claim_digest(type, LENGTH, digest);
        pr_statement st = plain_statement(type->air(liar));
        const pr_air_component *c = &type->air(liar)->components[COMPRESSIONS];
        char name[32];
        snprintf(name, sizeof name, "digest, half %d", k);
        assert_int_equal(count_findings(&st, &x->honest), 1);
        for (uint32_t i = 0; i < c->n_constraints; i++)
            if (strcmp(c->constraints[i].name, name) == 0) x->needed->constraints[COMPRESSIONS][i] = true;
        pr_instance_destroy(type, liar);
    }
}

/* What one message can tell. */
static void tell_message(suite *x, needs *needed) {
    x->needed = needed;
    tell_functions(x, UINT32_MAX);
    tell_functions(x, 1);
    tell_columns(x, PR_SHA256_PART_COMPRESSION, 0, 0, PR_SHA256_COMPRESSION_COLUMNS, 1);
    tell_columns(x, PR_SHA256_PART_COMPRESSION, 0, SUMS, 16, UINT32_MAX);
    tell_followed_sums(x);
    tell_last_words(x);
    tell_ends(x);
    tell_all_parts(x);
}

/* Bytes at the ends of their range keep a lie from being told as it should: another message tells it. */
static uint32_t tell_further_messages(needs *needed, uint64_t *random) {
    uint32_t messages[BLOCKS][16], missing = needs_print_missing(needed);
    for (int k = 0; missing && k < 7; k++) {
        suite x = suite_create(messages, random, 0);
        tell_message(&x, needed);
        suite_destroy(&x);
        missing = needs_print_missing(needed);
    }
    return missing;
}

static void everything_is_needed(void **state) {
    (void)state;
    uint64_t random = test_seed();
    uint32_t messages[BLOCKS][16], zeros[BLOCKS][16];
    suite x = suite_create(messages, &random, 0);
    needs needed = needs_create(type->air(x.job), &x.honest);
    tell_message(&x, &needed);
    tell_digests(&x);
    suite y = suite_create(zeros, &random, 4); /* less than nothing is no half */
    y.needed = &needed;
    tell(&y, lie_of(PR_SHA256_PART_COMPRESSION, 0, 0, WORDS, UINT32_MAX));
    tell(&y, lie_of(PR_SHA256_PART_COMPRESSION, 0, 0, WORDS + 1, UINT32_MAX));
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
