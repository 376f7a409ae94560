/* The commit phase of FRI on the device: how many launches, that the host waits once, and that later proofs of a shape
 * are launched as a graph; that openings are fetched together; and the proof of work behind it. Bytes are the golden
 * cases' (tests/prove). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "proofs.h"

static void count(void *context, pr_stage stage) { ((fixture *)context)->at[stage] = pr_cuda_emu_counts(); }

static void open_counted(fixture *f, const char *name) {
    open_case(f, name);
    pr_prover_set_stage_listener(f->prover, count, f);
}

/* Blocks of 2^4 leaves here. A layer is a launch while it has more leaves than a block, and two while its blocks' roots
 * are more than a block climbs from, 2^5; the rest is one launch. */
static uint64_t expected_launches(const pr_layout *l) {
    uint64_t n = 1;
    for (uint32_t k = 0; k < l->n_fri_layers; k++) {
        uint32_t height = l->fri[k].log_size - (l->fri[k].packed ? 2 : 0);
        n += height > 9 ? 2 : height > 4;
    }
    return n;
}

/* n_ranges: the range of nonces, of which one in 2^bits serves, that the first lies in; each has 2^(bits + 1). Of up to
 * 2^8 the first is waited for with FRI. */
static void check_launches(const char *name, uint64_t want, uint64_t n_ranges) {
    fixture f;
    open_counted(&f, name);
    prove(&f, NULL);
    const pr_cuda_counts *from = &f.at[PR_STAGE_FRI], *to = &f.at[PR_STAGE_GRIND], *end = &f.at[PR_STAGE_OPEN];
    const uint32_t bits = f.layout.statement->config.pow_bits;
    assert_int_equal(expected_launches(&f.layout), want);
    assert_int_equal(to->launches - from->launches, want + 1); /* the proof of work began */
    assert_int_equal(to->synchronizations - from->synchronizations, 1);
    assert_in_range(to->to_host_bytes - from->to_host_bytes, 1, 4096);
    assert_int_equal(to->to_device_bytes - from->to_device_bytes, 64);
    assert_int_equal(end->synchronizations - to->synchronizations, n_ranges - (bits <= 8));
    assert_int_equal(end->launches - to->launches, n_ranges - 1);
    close_case(&f);
}
static void test_launches(void **unused) {
    (void)unused;
    check_launches("wide_fibonacci_l9_c100_lifted", 12, 3); /* 12 layers from 2^12 rows on */
    check_launches("wide_fibonacci_l10_c100_96bits", 3, 1); /* four rows a leaf, three folds a layer */
    check_launches("wide_fibonacci_l4_c4", 2, 1);
}

/* All that is opened is fetched together, where the results have room for it: 16 KiB here. */
static void test_openings(void **unused) {
    (void)unused;
    static const char *const names[] = {"wide_fibonacci_l4_c4", "xor4_l7", "wide_fibonacci_l7_c20_fold2"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fixture f;
        open_counted(&f, names[i]);
        prove(&f, NULL);
        assert_int_equal(pr_cuda_emu_counts().synchronizations - f.at[PR_STAGE_OPEN].synchronizations, 1);
        assert_int_equal(pr_cuda_emu_counts().launches - f.at[PR_STAGE_OPEN].launches, 2); /* values, hashes */
        close_case(&f);
    }
}

/* ---- by itself, of any shape ---- */

typedef struct shape {
    pr_fri args;
    pr_fri_layer layers[16];
    size_t words;
} shape;

static void place(shape *s, pr_col cols[4], uint32_t log_rows) {
    for (int c = 0; c < 4; c++) {
        cols[c] = (pr_col){s->words, log_rows};
        s->words += (((size_t)1 << log_rows) + 15) & ~(size_t)15;
    }
}
/* From 2^log_rows values down to two. */
static void make_shape(shape *s, uint32_t log_rows) {
    *s = (shape){.args = {.layers = s->layers, .pow_bits = 3}};
    for (uint32_t log = log_rows; log > 1; log--) {
        pr_fri_layer *l = &s->layers[s->args.n_layers++];
        place(s, l->cols, log);
        l->merkle = (pr_merkle){s->words, log, pr_merkle_log_skip(log), false};
        l->fold_step = 1;
        s->words += pr_merkle_words(log);
    }
    place(s, s->args.last, 1);
}
static pr_hash commit(pr_device *dev, const shape *s) {
    pr_hash roots[32];
    pr_qm31 last;
    pr_fri_result result = {.roots = roots, .last_layer = &last};
    pr_error err = {0};
    const uint32_t log_rows = s->layers[0].cols[0].log_rows;
    pr_m31 *values = malloc(sizeof *values << log_rows);
    for (uint32_t i = 0; i < 1u << log_rows; i++) values[i] = i * i + 1;
    for (int c = 0; c < 4; c++)
        assert_int_equal(pr_backend_cuda_emu.upload(dev, s->layers[0].cols[c], values, NULL), PR_OK);
    assert_int_equal(pr_backend_cuda_emu.begin(dev, &err), PR_OK);
    if (pr_backend_cuda_emu.fri(dev, &result, &s->args, &err) != PR_OK) fail_msg("%s", err.text);
    pr_backend_cuda_emu.end(dev);
    free(values);
    assert_true(result.exceeds_degree); /* of no polynomial that would do */
    return result.digest;
}
/* Another shape in between: the graph is another's, and is let go. */
static void test_shapes(void **unused) {
    (void)unused;
    static const struct {
        unsigned which;
        uint64_t graph_launches; /* so far */
    } order[] = {{0, 0}, {0, 1}, {1, 1}, {1, 2}, {0, 2}, {1, 2}};
    shape shapes[2];
    pr_hash digests[2];
    pr_device *dev = NULL;
    make_shape(&shapes[0], 8);
    make_shape(&shapes[1], 7);
    const pr_device_needs needs = {.n_threads = 1, .arena_bytes = 4 * shapes[0].words, .max_log_rows = 8};
    pr_cuda_emu_reset();
    assert_int_equal(pr_backend_cuda_emu.device_create(&dev, &needs, NULL), PR_OK);
    for (unsigned k = 0; k < 2; k++) digests[k] = commit(dev, &shapes[k]);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const pr_hash digest = commit(dev, &shapes[order[i].which]);
        assert_memory_equal(&digest, &digests[order[i].which], sizeof digest);
        assert_int_equal(pr_cuda_emu_counts().graph_launches, order[i].graph_launches);
    }
    pr_backend_cuda_emu.device_destroy(dev);
    assert_int_equal(pr_cuda_emu_held_graphs(), 0);
}

/* A proof of work that was begun for other bits, or another channel, is not taken up. */
static void test_grinding(void **unused) {
    (void)unused;
    shape s;
    pr_device *dev = NULL;
    make_shape(&s, 6);
    const pr_device_needs needs = {.n_threads = 1, .arena_bytes = 4 * s.words, .max_log_rows = 6};
    pr_cuda_emu_reset();
    assert_int_equal(pr_backend_cuda_emu.device_create(&dev, &needs, NULL), PR_OK);
    for (uint32_t bits = 0; bits <= 10; bits++)
        for (unsigned asked = 0; asked < 3; asked++) { /* as it was begun; other bits; another prefix */
            s.args.pow_bits = bits;
            pr_channel channel = {.digest = commit(dev, &s)};
            const uint32_t want_bits = asked == 1 ? bits + 1 : bits;
            if (asked == 2) channel.digest.bytes[0] ^= 1;
            const pr_hash prefix = pr_channel_pow_prefix(&channel, want_bits);
            const uint64_t before = pr_cuda_emu_counts().launches;
            uint64_t nonce = 0, first = 0;
            assert_int_equal(pr_backend_cuda_emu.grind(dev, &nonce, &prefix, want_bits, NULL), PR_OK);
            while (!pr_pow_check(&prefix, want_bits, first)) first++;
            assert_true(nonce == first);
            if (asked) assert_true(pr_cuda_emu_counts().launches > before);
        }
    pr_backend_cuda_emu.device_destroy(dev);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_launches), cmocka_unit_test(test_openings),
                                       cmocka_unit_test(test_shapes), cmocka_unit_test(test_grinding)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
