/* The constraints of blake2s. README.md tells them in words and tables. */
#include <stdlib.h>
#include "gadgets/words_air.h"

#include "blake2s/describe.h"

enum { TUPLE = 6 * 16 };

static void put_words(pr_expr *tuple, const word_halves *words) {
    for (int k = 0; k < 16; k++) tuple[2 * k] = words[k].lo, tuple[2 * k + 1] = words[k].hi;
}

static void look_up_round(scribe *s, uint32_t relation, pr_expr multiplicity, const word_halves *in,
                          const word_halves *message, const word_halves *out) {
    pr_expr tuple[TUPLE];
    put_words(tuple, in);
    put_words(tuple + 32, message);
    put_words(tuple + 64, out);
    pr_air_lookup_add(s->b, relation, multiplicity, tuple, TUPLE, -1);
}

static void add_rounds(scribe *s, const char *name, uint32_t relation, uint32_t log_rows) {
    static const given nothing[16];
    blake2s_round_io io;
    pr_air_component_begin(s->b, name, log_rows);
    blake2s_round(s, &io, nothing[0], nothing, nothing);
    look_up_round(s, relation, pr_neg(s->b, io.multiplicity), io.in, io.message, io.out);
}

/* ---- compressions ---- */

/* Halves of word 12 of the state: the bytes so far; 0 behind the blocks. */
static pr_status add_counter(pr_air_builder *b, uint64_t length, const pr_digest_shape *shape, pr_error *err) {
    pr_m31 *rows = calloc((size_t)1 << shape->log_blocks, sizeof *rows);
    if (!rows) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the counter of blake2s");
    for (unsigned half = 0; half < 2; half++) {
        for (uint32_t k = 0; k < shape->n_blocks; k++)
            rows[k] = pr_blake2s_word_12(length, shape->n_blocks, k) >> 16 * half & 0xffff;
        pr_air_add_preprocessed(b, half ? "counter_high" : "counter_low", shape->log_blocks, rows);
    }
    free(rows);
    return PR_OK;
}

typedef struct selectors {
    pr_expr goes_on, final, seam, live;
} selectors;

static selectors use_selectors(pr_air_builder *b) {
    selectors on = {.goes_on = pr_air_use_preprocessed(b, "goes_on"),
                    .final = pr_air_use_preprocessed(b, "final"),
                    .seam = pr_air_use_preprocessed(b, "seam")};
    on.live = pr_add(b, on.goes_on, on.final);
    return on;
}

static word_halves live_word(scribe *s, pr_expr live, uint32_t word) {
    return (word_halves){cell_scaled(s, live, word & 0xffff), cell_scaled(s, live, word >> 16)};
}

static void state_before(scribe *s, word_halves state[16], const selectors *on, const word_bytes *chain) {
    for (int k = 0; k < 8; k++) state[k] = halves_of_bytes(s, chain[k]);
    for (int k = 8; k < 16; k++) state[k] = live_word(s, on->live, pr_blake2s_iv[k - 8]);
    state[12].lo = pr_air_use_preprocessed(s->b, "counter_low");
    state[12].hi = pr_air_use_preprocessed(s->b, "counter_high");
    /* the last block's word is the complement */
    word_halves all = live_word(s, on->final, UINT32_MAX), twice = live_word(s, on->final, pr_blake2s_iv[6]);
    state[14].lo = pr_add(s->b, state[14].lo, pr_sub(s->b, all.lo, cell_scaled(s, twice.lo, 2)));
    state[14].hi = pr_add(s->b, state[14].hi, pr_sub(s->b, all.hi, cell_scaled(s, twice.hi, 2)));
}

/* Columns of the words that a block starts from; next: the same in the row below. */
static void add_chain(pr_air_builder *b, word_bytes here[8], word_bytes next[8]) {
    static const int32_t offsets[2] = {0, 1};
    for (int k = 0; k < 8; k++)
        for (int i = 0; i < 4; i++) {
            pr_expr pair[2];
            pr_air_add_column_mask(b, pair, offsets, 2);
            here[k].b[i] = pair[0], next[k].b[i] = pair[1];
        }
}

static void constrain_chain(scribe *s, const selectors *on, const word_bytes *out, const word_bytes *next) {
    pr_air_builder *b = s->b;
    for (int k = 0; k < 32; k++) {
        char name[64];
        pr_expr start = cell_scaled(s, on->seam, pr_blake2s_start[k / 4] >> 8 * (k % 4) & 255);
        pr_expr follows = pr_add(b, pr_mul(b, on->goes_on, out[k / 4].b[k % 4]), start);
        snprintf(name, sizeof name, "chain, byte %d", k);
        pr_air_constrain(b, name, pr_sub(b, next[k / 4].b[k % 4], follows));
    }
}

/* Behind the file the last block is zero. Where the file ends within a half, that half is a byte. */
static void constrain_end(scribe *s, pr_expr final, const word_halves *message, unsigned used) {
    for (unsigned k = 0; k < 32; k++) {
        char name[64];
        pr_expr half = k % 2 ? message[k / 2].hi : message[k / 2].lo;
        pr_expr tuple[3] = {half, pr_const(s->b, 0), half};
        snprintf(name, sizeof name, "zeros behind the file, half %u", k);
        if (2 * k >= used)
            pr_air_constrain(s->b, name, pr_mul(s->b, final, half));
        else if (2 * k + 1 == used)
            pr_air_lookup_add(s->b, s->relations[PR_BYTE_XOR], final, tuple, 3, -1);
    }
}

static void constrain_digest(scribe *s, pr_expr final, const word_bytes *out, const uint8_t *digest) {
    for (int k = 0; k < PR_DIGEST_BYTES; k++) {
        char name[64];
        snprintf(name, sizeof name, "digest, byte %d", k);
        pr_expr difference = pr_sub(s->b, out[k / 4].b[k % 4], pr_const(s->b, digest[k]));
        pr_air_constrain(s->b, name, pr_mul(s->b, final, difference));
    }
}

static void add_compressions(scribe *s, uint32_t relation, const pr_digest_public *statement,
                             const pr_digest_shape *shape) {
    static const given nothing[PR_BLAKE2S_ROUNDS][16];
    word_bytes chain[8], next[8];
    word_halves before[16];
    blake2s_compression_io io;
    pr_air_component_begin(s->b, "compressions", shape->log_blocks);
    selectors on = use_selectors(s->b);
    add_chain(s->b, chain, next);
    blake2s_compression(s, &io, chain, nothing[0], nothing);
    state_before(s, before, &on, chain);
    for (int round = 0; round < PR_BLAKE2S_ROUNDS; round++) {
        word_halves message[16];
        for (int k = 0; k < 16; k++) message[k] = io.message[pr_blake2s_order[round][k]];
        look_up_round(s, relation, pr_const(s->b, 1), round ? io.states[round - 1] : before, message, io.states[round]);
    }
    constrain_chain(s, &on, io.out, next);
    constrain_end(s, on.final, io.message,
                  (unsigned)(statement->length - (uint64_t)(shape->n_blocks - 1) * PR_DIGEST_BLOCK));
    constrain_digest(s, on.final, io.out, statement->digest);
}

pr_status pr_blake2s_air(pr_air **out, const pr_digest_public *statement, pr_error *err) {
    const pr_digest_kind *kind = &pr_blake2s_kind;
    pr_digest_shape shape;
    uint32_t relations[PR_BYTE_OPS];
    kind->shape(&shape, kind->n_blocks(statement->length));
    pr_air_builder *b = pr_air_builder_create("blake2s");
    if (!b) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the AIR of blake2s");
    scribe s = {.b = b, .relations = relations};
    pr_status status = pr_digest_add_selectors(b, &shape, err);
    if (status == PR_OK) status = add_counter(b, statement->length, &shape, err);
    if (status == PR_OK) status = pr_byte_tables_declare(b, relations, kind->ops, kind->n_ops, err);
    if (status != PR_OK) {
        pr_air_builder_destroy(b);
        return status;
    }
    uint32_t round = pr_air_add_relation(b, "round", TUPLE);
    const pr_digest_part *rounds = &shape.parts[PR_BLAKE2S_PART_ROUND];
    for (uint32_t k = 0; k < rounds->n_components; k++)
        add_rounds(&s, k ? "more rounds" : "rounds", round, rounds->log_rows[k]);
    add_compressions(&s, round, statement, &shape);
    pr_byte_tables_add_component(b, relations, kind->ops, kind->n_ops);
    return pr_air_build(out, b, err);
}
