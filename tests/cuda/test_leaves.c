/* Leaves of columns of many sizes: what is hashed, by the words that are read for it, sixteen a compression. */
#include "../cpu/fixture.h"
#include "circle/circle.h"

enum { HEIGHT = 12, N = 60 };

/* Bytes read to commit to columns, the first n_small of them of 2^log_small rows; the root is checked. */
static uint64_t count_reads(size_t n_small, uint32_t log_small) {
    uint64_t state = fixture_seed();
    fixture f;
    pr_col cols[N];
    pr_hash root, leaf;
    pr_m31 *values[N], message[N];
    fixture_open(&f, &pr_backend_cuda_emu, 1, (size_t)(N + 20) << HEIGHT, HEIGHT);
    for (size_t i = 0; i < N; i++) {
        cols[i] = fixture_col(&f, i < n_small ? log_small : HEIGHT);
        values[i] = fixture_values(&state, (size_t)1 << cols[i].log_rows);
        fixture_upload(&f, cols[i], values[i]);
    }
    const pr_merkle tree = {.offset = f.used, .height = HEIGHT, .log_skip = 0};
    f.used += (size_t)16 << HEIGHT;
    assert_true(f.used <= f.words);
    const uint64_t before = pr_cuda_emu_counts().read_bytes;
    assert_int_equal(f.ops->merkle_commit(f.dev, &root, &tree, cols, N, NULL), PR_OK);
    const uint64_t read = pr_cuda_emu_counts().read_bytes - before;
    for (uint32_t i = 0; i < 1u << HEIGHT; i += 37) { /* some leaves, from the stored nodes */
        const pr_col node = {tree.offset + 8 * (((size_t)1 << HEIGHT) + i), 3};
        pr_m31 got[8];
        for (size_t k = 0; k < N; k++) message[k] = values[k][pr_slot_lift(cols[k].log_rows, HEIGHT, i)];
        leaf = pr_blake2s_hash(message, sizeof message);
        assert_int_equal(f.ops->download(f.dev, got, node, NULL), PR_OK);
        assert_memory_equal(got, leaf.bytes, sizeof leaf);
    }
    for (size_t i = 0; i < N; i++) free(values[i]);
    fixture_close(&f);
    return read;
}

static void small_columns_are_hashed_once(void **unused) {
    (void)unused;
    const uint64_t all = count_reads(0, HEIGHT);
    const struct {
        size_t n_small;
        uint32_t log_small;
        size_t n_shared, divisor; /* columns of whole blocks that are small, and how many leaves share their state */
    } cases[] = {{40, 11, 32, 2}, {40, 9, 32, 8}, {48, 4, 48, 128}, {15, 4, 0, 1}, {N, 10, N, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t leaves = (size_t)1 << HEIGHT;
        const uint64_t saved = 4 * cases[i].n_shared * (leaves - leaves / cases[i].divisor);
        assert_int_equal(count_reads(cases[i].n_small, cases[i].log_small), all - saved);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_columns_are_hashed_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
