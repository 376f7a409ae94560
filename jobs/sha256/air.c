/* The constraints of sha256. README.md tells them in words and tables. */
#include "gadgets/words_air.h"

#include "sha256/describe.h"

enum { ROUNDS_TUPLE = 2 * (8 + PR_SHA256_STEP + 8), SCHEDULE_TUPLE = 2 * (16 + PR_SHA256_STEP) };

typedef struct relations {
    uint32_t rounds, schedule;
} relations;

static pr_expr *put_words(pr_expr *tuple, const word_halves *words, int n) {
    for (int k = 0; k < n; k++) *tuple++ = words[k].lo, *tuple++ = words[k].hi;
    return tuple;
}

static void look_up_rounds(scribe *s, uint32_t relation, pr_expr multiplicity, const word_halves *in,
                           const word_halves *added, const word_halves *out) {
    pr_expr tuple[ROUNDS_TUPLE];
    put_words(put_words(put_words(tuple, in, 8), added, PR_SHA256_STEP), out, 8);
    pr_air_lookup_add(s->b, relation, multiplicity, tuple, ROUNDS_TUPLE, -1);
}

static void look_up_schedule(scribe *s, uint32_t relation, pr_expr multiplicity, const word_halves *words) {
    pr_expr tuple[SCHEDULE_TUPLE];
    put_words(tuple, words, 16 + PR_SHA256_STEP);
    pr_air_lookup_add(s->b, relation, multiplicity, tuple, SCHEDULE_TUPLE, -1);
}

static void add_rounds(scribe *s, const char *name, uint32_t relation, uint32_t log_rows) {
    static const given nothing[8];
    sha256_rounds_io io;
    pr_air_component_begin(s->b, name, log_rows);
    sha256_rounds(s, &io, nothing[0], nothing, nothing, nothing);
    look_up_rounds(s, relation, pr_neg(s->b, io.multiplicity), io.in, io.added, io.out);
}

static void add_schedule(scribe *s, const char *name, uint32_t relation, uint32_t log_rows) {
    static const given nothing[16];
    sha256_schedule_io io;
    pr_air_component_begin(s->b, name, log_rows);
    sha256_schedule(s, &io, nothing[0], nothing);
    look_up_schedule(s, relation, pr_neg(s->b, io.multiplicity), io.words);
}

/* ---- compressions ---- */

/* Columns of the words that a block starts from; next: the same in the row below. */
static void add_chain(pr_air_builder *b, word_halves here[8], word_halves next[8]) {
    static const int32_t offsets[2] = {0, 1};
    for (int k = 0; k < 8; k++) {
        pr_expr low[2], high[2];
        pr_air_add_column_mask(b, low, offsets, 2);
        pr_air_add_column_mask(b, high, offsets, 2);
        here[k] = (word_halves){low[0], high[0]}, next[k] = (word_halves){low[1], high[1]};
    }
}

static pr_expr half_of(const word_halves *words, unsigned k) { return k % 2 ? words[k / 2].lo : words[k / 2].hi; }

static void constrain_chain(scribe *s, const word_halves *out, const word_halves *next) {
    pr_air_builder *b = s->b;
    pr_expr goes_on = pr_air_use_preprocessed(b, "goes_on"), seam = pr_air_use_preprocessed(b, "seam");
    for (unsigned k = 0; k < 16; k++) {
        char name[64];
        pr_expr start = cell_scaled(s, seam, pr_sha256_start[k / 2] >> (k % 2 ? 0 : 16) & 0xffff);
        pr_expr follows = pr_add(b, pr_mul(b, goes_on, half_of(out, k)), start);
        snprintf(name, sizeof name, "chain, half %u", k);
        pr_air_constrain(b, name, pr_sub(b, half_of(next, k), follows));
    }
}

/* What stands at a place at or behind the end of the file: 0x80, zeros, and the length in bits, big-endian. */
static uint32_t padding_byte(uint64_t length, uint64_t end, uint64_t at) {
    if (at == length) return 0x80;
    return at + 8 < end ? 0 : (uint32_t)(8 * length >> 8 * (end - 1 - at)) & 255;
}

/* Behind the file a block is what it must be. Where the file ends within a half, the file's byte is one. */
static void constrain_end(scribe *s, const char *selector, const word_halves *message, uint64_t length, uint64_t block,
                          uint64_t end) {
    pr_air_builder *b = s->b;
    pr_expr on = pr_air_use_preprocessed(b, selector);
    for (unsigned k = 0; k < 32; k++) {
        char name[64];
        uint64_t at = block * PR_DIGEST_BLOCK + 2 * k;
        pr_expr half = half_of(message, k);
        snprintf(name, sizeof name, "%s, half %u behind the file", selector, k);
        if (at >= length) {
            uint32_t known = padding_byte(length, end, at) << 8 | padding_byte(length, end, at + 1);
            pr_air_constrain(b, name, pr_mul(b, on, pr_sub(b, half, pr_const(b, known))));
        } else if (at + 1 == length) {
            /* half = 256 byte + 0x80; x / 2^8 = x * 2^23 mod p */
            pr_expr byte = cell_scaled(s, pr_sub(b, half, pr_const(b, 0x80)), 1u << 23);
            const pr_expr tuple[3] = {byte, pr_const(b, 0), byte};
            pr_air_lookup_add(b, s->relations[PR_BYTE_XOR], on, tuple, 3, -1);
        }
    }
}

static void constrain_digest(scribe *s, const word_halves *out, const uint8_t *digest) {
    pr_expr final = pr_air_use_preprocessed(s->b, "final");
    for (unsigned k = 0; k < 16; k++) {
        char name[64];
        snprintf(name, sizeof name, "digest, half %u", k);
        pr_expr claimed = pr_const(s->b, digest[2 * k] << 8 | digest[2 * k + 1]);
        pr_air_constrain(s->b, name, pr_mul(s->b, final, pr_sub(s->b, half_of(out, k), claimed)));
    }
}

static void look_up_functions(scribe *s, const relations *r, const word_halves *chain,
                              const sha256_compression_io *io) {
    pr_expr live = pr_add(s->b, pr_air_use_preprocessed(s->b, "goes_on"), pr_air_use_preprocessed(s->b, "final"));
    pr_expr one = pr_const(s->b, 1);
    for (int row = 0; row < PR_SHA256_SCHEDULE_ROWS; row++)
        look_up_schedule(s, r->schedule, one, io->words + PR_SHA256_STEP * row);
    for (int row = 0; row < PR_SHA256_ROUND_ROWS; row++) {
        word_halves added[PR_SHA256_STEP];
        for (int k = 0; k < PR_SHA256_STEP; k++) {
            uint32_t constant = pr_sha256_k[PR_SHA256_STEP * row + k];
            word_halves word = io->words[PR_SHA256_STEP * row + k];
            added[k].lo = pr_add(s->b, word.lo, cell_scaled(s, live, constant & 0xffff));
            added[k].hi = pr_add(s->b, word.hi, cell_scaled(s, live, constant >> 16));
        }
        look_up_rounds(s, r->rounds, one, row ? io->states[row - 1] : chain, added, io->states[row]);
    }
}

/* Where the padding begins in the block before the last. */
static bool is_long_end(uint64_t length) { return length % PR_DIGEST_BLOCK >= PR_DIGEST_BLOCK - 8; }

static void add_compressions(scribe *s, const relations *r, const pr_digest_public *statement,
                             const pr_digest_shape *shape) {
    static const given nothing[64], no_states[PR_SHA256_ROUND_ROWS][8];
    word_halves chain[8], next[8];
    sha256_compression_io io;
    uint64_t last = shape->n_blocks - 1, end = (last + 1) * PR_DIGEST_BLOCK;
    pr_air_component_begin(s->b, "compressions", shape->log_blocks);
    add_chain(s->b, chain, next);
    sha256_compression(s, &io, chain, nothing, no_states);
    look_up_functions(s, r, chain, &io);
    constrain_chain(s, io.out, next);
    if (is_long_end(statement->length)) constrain_end(s, "last but one", io.words, statement->length, last - 1, end);
    constrain_end(s, "final", io.words, statement->length, last, end);
    constrain_digest(s, io.out, statement->digest);
}

static pr_status declare(scribe *s, uint32_t *ops, uint32_t *splits, uint64_t length, const pr_digest_shape *shape,
                         pr_error *err) {
    const pr_digest_kind *kind = &pr_sha256_kind;
    uint32_t last = shape->n_blocks - 1;
    PR_TRY(pr_digest_add_selectors(s->b, shape, err));
    if (is_long_end(length))
        PR_TRY(pr_digest_add_selector(s->b, "last but one", shape->log_blocks, last - 1, last, err));
    PR_TRY(pr_byte_tables_declare(s->b, ops, kind->ops, kind->n_ops, err));
    pr_split_tables_declare(s->b, splits, kind->splits, kind->n_splits);
    return PR_OK;
}

pr_status pr_sha256_air(pr_air **out, const pr_digest_public *statement, pr_error *err) {
    const pr_digest_kind *kind = &pr_sha256_kind;
    pr_digest_shape shape;
    uint32_t ops[PR_BYTE_OPS], splits[PR_SPLITS];
    kind->shape(&shape, kind->n_blocks(statement->length));
    pr_air_builder *b = pr_air_builder_create("sha256");
    if (!b) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the AIR of sha256");
    scribe s = {.b = b, .relations = ops, .splits = splits};
    pr_status status = declare(&s, ops, splits, statement->length, &shape, err);
    if (status != PR_OK) {
        pr_air_builder_destroy(b);
        return status;
    }
    relations r;
    r.rounds = pr_air_add_relation(b, "rounds", ROUNDS_TUPLE);
    r.schedule = pr_air_add_relation(b, "schedule", SCHEDULE_TUPLE);
    const pr_digest_part *rounds = &shape.parts[PR_SHA256_PART_ROUNDS], *words = rounds + 1;
    for (uint32_t k = 0; k < rounds->n_components; k++)
        add_rounds(&s, k ? "more rounds" : "rounds", r.rounds, rounds->log_rows[k]);
    for (uint32_t k = 0; k < words->n_components; k++)
        add_schedule(&s, k ? "more schedule" : "schedule", r.schedule, words->log_rows[k]);
    add_compressions(&s, &r, statement, &shape);
    pr_byte_tables_add_component(b, ops, kind->ops, kind->n_ops);
    pr_split_tables_add_component(b, splits, kind->splits, kind->n_splits);
    return pr_air_build(out, b, err);
}
