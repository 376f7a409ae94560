/* Round trips of every golden proof, and every way the binary and compressed forms can be malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "golden.h"

/* ---- what is allocated ---- */

static size_t requested_bytes;
static bool refuse_memory;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n) {
    requested_bytes += n;
    return refuse_memory ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size) {
    requested_bytes += n * size;
    return refuse_memory ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n) {
    requested_bytes += n;
    return refuse_memory ? NULL : __real_realloc(p, n);
}

static pr_decode_code decode(const golden *g, const void *data, size_t size) {
    pr_proof proof;
    requested_bytes = 0;
    pr_decode_code code = pr_proof_decode(&proof, &g->layout, data, size);
    if (code != PR_DECODE_OK) assert_null(proof.memory);
    assert_true(requested_bytes <= size);
    pr_proof_clear(&proof);
    return code;
}

/* ---- good proofs ---- */

static size_t total_text, total_compressed;

static void check_round_trips(golden *g) {
    pr_writer text, again, packed, unpacked;
    pr_proof decoded;
    pr_writer_init(&text);
    pr_writer_init(&again);
    pr_writer_init(&packed);
    pr_writer_init(&unpacked);
    assert_int_equal(pr_proof_write_envelope(&text, &g->proof, &g->layout), PR_OK);
    assert_int_equal(text.size, g->c.expected_envelope_size);
    assert_memory_equal(text.data, g->c.expected_envelope, text.size);
    size_t envelope_size = text.size;
    pr_writer_clear(&text);
    assert_int_equal(pr_proof_write_json(&text, &g->proof, &g->layout), PR_OK);
    assert_int_equal(text.size, g->c.expected_json_bytes);
    size_t measured = 0;
    assert_int_equal(pr_proof_measure_json(&measured, &g->proof, &g->layout), PR_OK);
    assert_int_equal(measured, text.size);
    pr_hash digest = pr_blake2s_hash(text.data, text.size);
    char hex[65];
    pr_hex_encode(hex, digest.bytes, 32);
    assert_string_equal(hex, g->c.expected_json_blake2s);

    assert_true(g->binary.size <= pr_proof_max_bytes(&g->layout));
    assert_int_equal(pr_proof_decode(&decoded, &g->layout, g->binary.data, g->binary.size), PR_DECODE_OK);
    assert_int_equal(pr_proof_encode(&again, &decoded, &g->layout), PR_OK);
    assert_int_equal(again.size, g->binary.size);
    assert_memory_equal(again.data, g->binary.data, again.size);
    pr_proof_clear(&decoded);

    assert_int_equal(pr_proof_compress(&packed, again.data, again.size, NULL), PR_OK);
    assert_int_equal(pr_proof_decompress(&unpacked, &g->layout, packed.data, packed.size), PR_DECODE_OK);
    assert_int_equal(unpacked.size, again.size);
    assert_memory_equal(unpacked.data, again.data, again.size);
    assert_true(100 * packed.size <= 35 * envelope_size);
    total_text += envelope_size;
    total_compressed += packed.size;
    pr_writer_clear(&text);
    pr_writer_clear(&again);
    pr_writer_clear(&packed);
    pr_writer_clear(&unpacked);
}

static void golden_proofs_survive_all_encodings(void **state) {
    (void)state;
    assert_int_equal(golden_for_each(check_round_trips), 36);
    printf("compressed: %zu bytes, %.1f %% of the text\n", total_compressed,
           100.0 * (double)total_compressed / (double)total_text);
}

/* ---- bad ones ---- */

static void check_prefixes(golden *g) {
    size_t size = g->binary.size;
    uint8_t *copy = malloc(size + 1);
    memcpy(copy, g->binary.data, size);
    for (size_t n = 0; n < size; n++) assert_int_equal(decode(g, copy, n), PR_DECODE_TRUNCATED);
    for (unsigned extra = 0; extra < 256; extra += 51) {
        copy[size] = (uint8_t)extra;
        assert_int_equal(decode(g, copy, size + 1), PR_DECODE_TRAILING);
    }
    free(copy);
}

static void prefixes_and_longer_ones_are_refused(void **state) {
    (void)state;
    golden_for_each(check_prefixes);
}

static pr_decode_code decode_with_word(const golden *g, size_t word, uint32_t value) {
    uint8_t *copy = malloc(g->binary.size);
    memcpy(copy, g->binary.data, g->binary.size);
    memcpy(copy + 4 * word, &value, 4);
    pr_decode_code code = decode(g, copy, g->binary.size);
    free(copy);
    return code;
}

static void check_header(golden *g) {
    uint32_t n_trees = g->layout.n_trees, n_layers = g->layout.n_fri_layers;
    uint32_t n_queries = g->c.statement.config.n_queries;
    assert_int_equal(decode_with_word(g, 0, 0), PR_DECODE_MAGIC);
    assert_int_equal(decode_with_word(g, 1, 2), PR_DECODE_VERSION);
    assert_int_equal(decode_with_word(g, 2, 0), PR_DECODE_QUERY_COUNT);
    assert_int_equal(decode_with_word(g, 2, n_queries + 1), PR_DECODE_QUERY_COUNT);
    for (size_t k = 0; k < n_trees + 2 * n_layers; k++)
        assert_int_equal(decode_with_word(g, 3 + k, UINT32_MAX), PR_DECODE_WITNESS_TOO_LONG);
    uint32_t height = g->layout.trees[n_trees - 1].height;
    assert_int_equal(decode_with_word(g, 2 + n_trees, g->proof.n_queries * height + 1), PR_DECODE_WITNESS_TOO_LONG);
    if (g->layout.trees[0].n_columns == 0) assert_int_equal(decode_with_word(g, 3, 1), PR_DECODE_WITNESS_TOO_LONG);
    uint32_t last_felt = (uint32_t)(g->binary.size / 4 - 1);
    assert_int_equal(decode_with_word(g, last_felt, PR_P), PR_DECODE_FELT_RANGE);
    assert_int_equal(decode_with_word(g, last_felt, UINT32_MAX), PR_DECODE_FELT_RANGE);
    assert_int_equal(decode_with_word(g, last_felt, PR_P - 1), PR_DECODE_OK);
}

static void headers_are_bounded_by_the_statement(void **state) {
    (void)state;
    golden_for_each(check_header);
}

static void refused_memory_is_reported(void **state) {
    (void)state;
    golden g;
    pr_proof proof;
    pr_writer packed, out;
    pr_error err = {0};
    golden_init(&g, "cube_l5");
    golden_lengths n = golden_lengths_of(&g.proof);
    pr_writer_init(&packed);
    pr_writer_init(&out);
    assert_int_equal(pr_proof_compress(&packed, g.binary.data, g.binary.size, NULL), PR_OK);
    refuse_memory = true;
    pr_decode_code binary = pr_proof_decode(&proof, &g.layout, g.binary.data, g.binary.size);
    pr_decode_code text =
        pr_proof_read_envelope(&proof, &g.layout, g.c.expected_envelope, g.c.expected_envelope_size, NULL);
    pr_decode_code frame = pr_proof_decompress(&out, &g.layout, packed.data, packed.size);
    pr_status compressed = pr_proof_compress(&out, g.binary.data, g.binary.size, &err);
    pr_status allocated =
        pr_proof_alloc(&proof, &g.layout, n.n_queries, n.tree_hashes, n.fri_witness, n.fri_hashes, &err);
    pr_status encoded = pr_proof_encode(&out, &g.proof, &g.layout);
    refuse_memory = false;
    assert_int_equal(binary, PR_DECODE_MEMORY);
    assert_int_equal(text, PR_DECODE_MEMORY);
    assert_int_equal(frame, PR_DECODE_MEMORY);
    assert_int_equal(compressed, PR_ERR_MEMORY);
    assert_int_equal(allocated, PR_ERR_MEMORY);
    assert_int_equal(encoded, PR_ERR_MEMORY);
    assert_null(proof.memory);
    pr_writer_clear(&packed);
    pr_writer_clear(&out);
    golden_clear(&g);
}

/* Text that goes on and on: what is read is bounded before anything is allocated. */
static void long_text_allocates_nothing(void **state) {
    (void)state;
    golden g;
    pr_proof proof;
    size_t place;
    golden_init(&g, "cube_l5");
    const char *start = strstr(g.c.expected_envelope, "\"hash_witness\":[");
    size_t head = (size_t)(start - g.c.expected_envelope) + strlen("\"hash_witness\":["), size = head + 4000000;
    char *text = malloc(size);
    memcpy(text, g.c.expected_envelope, head);
    memset(text + head, '[', size - head);
    requested_bytes = 0;
    assert_int_equal(pr_proof_read_envelope(&proof, &g.layout, text, size, &place), PR_DECODE_WITNESS_TOO_LONG);
    assert_int_equal(place, head);
    memset(text + head, ' ', size - head);
    assert_int_equal(pr_proof_read_envelope(&proof, &g.layout, text, size, &place), PR_DECODE_TRUNCATED);
    assert_int_equal(requested_bytes, 0);
    free(text);
    golden_clear(&g);
}

static void frames_are_bounded(void **state) {
    (void)state;
    golden g;
    pr_writer packed, out;
    golden_init(&g, "wide_fibonacci_l6_c10");
    size_t most = pr_proof_max_bytes(&g.layout);
    uint8_t *zeros = calloc(1, 1 << 24);
    pr_writer_init(&out);
    for (int k = 0; k < 3; k++) {
        size_t size = k == 0 ? most : k == 1 ? most + 1 : (size_t)1 << 24;
        pr_writer_init(&packed);
        assert_int_equal(pr_proof_compress(&packed, zeros, size, NULL), PR_OK);
        requested_bytes = 0;
        assert_int_equal(pr_proof_decompress(&out, &g.layout, packed.data, packed.size),
                         k == 0 ? PR_DECODE_OK : PR_DECODE_COMPRESSION);
        if (k) assert_int_equal(requested_bytes, 0);
        pr_writer_clear(&packed);
        pr_writer_clear(&out);
    }
    free(zeros);

    pr_writer_init(&packed);
    assert_int_equal(pr_proof_compress(&packed, g.binary.data, g.binary.size, NULL), PR_OK);
    for (size_t n = 0; n < packed.size; n++)
        assert_int_equal(pr_proof_decompress(&out, &g.layout, packed.data, n), PR_DECODE_COMPRESSION);
    pr_write_u8(&packed, 0);
    assert_int_equal(pr_proof_decompress(&out, &g.layout, packed.data, packed.size), PR_DECODE_COMPRESSION);
    packed.data[packed.size / 2] ^= 1; /* the frame's checksum */
    assert_int_equal(pr_proof_decompress(&out, &g.layout, packed.data, packed.size - 1), PR_DECODE_COMPRESSION);
    assert_int_equal(out.size, 0);
    pr_writer_clear(&packed);
    golden_clear(&g);
}

static void proofs_that_do_not_fit_are_not_encoded(void **state) {
    (void)state;
    golden g, other;
    pr_writer out;
    pr_error err = {0};
    pr_proof proof;
    golden_init(&g, "cube_l5");
    golden_init(&other, "wide_fibonacci_l4_c4");
    pr_writer_init(&out);
    assert_int_equal(pr_proof_encode(&out, &g.proof, &other.layout), PR_ERR_INTERNAL);
    assert_int_equal(pr_proof_write_json(&out, &g.proof, &other.layout), PR_ERR_INTERNAL);
    assert_int_equal(pr_proof_measure_json(&(size_t){0}, &g.proof, &other.layout), PR_ERR_INTERNAL);
    assert_int_equal(pr_proof_write_envelope(&out, &g.proof, &other.layout), PR_ERR_INTERNAL);
    g.proof.last_layer[0].c[3] = PR_P;
    assert_int_equal(pr_proof_encode(&out, &g.proof, &g.layout), PR_ERR_INTERNAL);
    assert_int_equal(out.size, 0);
    golden_lengths n = golden_lengths_of(&g.proof);
    n.n_queries = g.c.statement.config.n_queries + 1;
    assert_int_equal(pr_proof_alloc(&proof, &g.layout, n.n_queries, n.tree_hashes, n.fri_witness, n.fri_hashes, &err),
                     PR_ERR_INTERNAL);
    golden_clear(&g);
    golden_clear(&other);
}

static void every_code_has_its_text(void **state) {
    (void)state;
    for (int code = 0; code <= PR_DECODE_MEMORY; code++) {
        assert_non_null(pr_decode_code_text((pr_decode_code)code));
        for (int other = 0; other < code; other++)
            assert_string_not_equal(pr_decode_code_text((pr_decode_code)code),
                                    pr_decode_code_text((pr_decode_code)other));
    }
    assert_string_equal(pr_decode_code_text((pr_decode_code)999), "unknown code");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_proofs_survive_all_encodings),
        cmocka_unit_test(prefixes_and_longer_ones_are_refused),
        cmocka_unit_test(headers_are_bounded_by_the_statement),
        cmocka_unit_test(refused_memory_is_reported),
        cmocka_unit_test(long_text_allocates_nothing),
        cmocka_unit_test(frames_are_bounded),
        cmocka_unit_test(proofs_that_do_not_fit_are_not_encoded),
        cmocka_unit_test(every_code_has_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
