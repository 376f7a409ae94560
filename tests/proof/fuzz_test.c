/* Random bytes and random damage to all decoders: each answers with a code, and what it accepts is canonical. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "golden.h"

static void try_binary(const golden *g, const uint8_t *data, size_t size) {
    pr_proof proof;
    pr_writer again;
    if (pr_proof_decode(&proof, &g->layout, data, size) != PR_DECODE_OK) return;
    pr_writer_init(&again);
    assert_int_equal(pr_proof_encode(&again, &proof, &g->layout), PR_OK);
    assert_int_equal(again.size, size);
    assert_memory_equal(again.data, data, size);
    pr_writer_clear(&again);
    pr_proof_clear(&proof);
}

static void try_text(const golden *g, const char *text, size_t size) {
    pr_proof proof;
    size_t place = 0;
    pr_decode_code code = pr_proof_read_envelope(&proof, &g->layout, text, size, &place);
    assert_true(place <= size);
    if (code == PR_DECODE_OK) assert_true(pr_proof_fits(&proof, &g->layout));
    pr_proof_clear(&proof);
}

static void try_frame(const golden *g, const uint8_t *data, size_t size) {
    pr_writer out;
    pr_writer_init(&out);
    if (pr_proof_decompress(&out, &g->layout, data, size) == PR_DECODE_OK)
        assert_true(out.size <= pr_proof_max_bytes(&g->layout));
    else
        assert_int_equal(out.size, 0);
    pr_writer_clear(&out);
}

/* Some bytes changed, removed or doubled. Returns the new size; room for size + 16. */
static size_t damage(uint8_t *data, size_t size, pr_prng *random, bool printable) {
    static const char signs[] = "[]{},:\"0123456789 nul\n";
    for (uint32_t k = pr_prng_below(random, 4) + 1; k > 0; k--) {
        size_t at = pr_prng_below(random, (uint32_t)size), n = pr_prng_below(random, 16);
        uint8_t byte =
            printable ? (uint8_t)signs[pr_prng_below(random, sizeof signs - 1)] : (uint8_t)pr_prng_next(random);
        switch (pr_prng_below(random, 8)) {
        case 0: /* a piece is lost */
            if (at + n < size) {
                memmove(data + at, data + at + n, size - at - n);
                size -= n;
            }
            break;
        case 1:
            size = at + 1;
            break;
        default:
            data[at] = byte;
        }
    }
    return size;
}

static void fuzz_case(const golden *g, pr_prng *random, size_t rounds) {
    pr_writer packed;
    pr_writer_init(&packed);
    assert_int_equal(pr_proof_compress(&packed, g->binary.data, g->binary.size, NULL), PR_OK);
    size_t text_size = g->c.expected_envelope_size;
    uint8_t *data = malloc(text_size + 16);
    for (size_t i = 0; i < rounds; i++) {
        memcpy(data, g->binary.data, g->binary.size);
        try_binary(g, data, damage(data, g->binary.size, random, false));
        memcpy(data, packed.data, packed.size);
        try_frame(g, data, damage(data, packed.size, random, false));
        memcpy(data, g->c.expected_envelope, text_size);
        try_text(g, (const char *)data, damage(data, text_size, random, true));
        size_t noise = pr_prng_below(random, 300);
        for (size_t k = 0; k < noise; k++) data[k] = (uint8_t)pr_prng_next(random);
        try_binary(g, data, noise);
        try_frame(g, data, noise);
        try_text(g, (const char *)data, noise);
    }
    free(data);
    pr_writer_clear(&packed);
}

static void decoders_take_anything(void **state) {
    (void)state;
    static const char *const names[] = {"cube_l5", "mixed_sizes_6_unused_l9", "state_machine_l6",
                                        "xor4_l7", "random/random_03",        "random/random_14"};
    pr_prng random = golden_seed("fuzz");
    size_t rounds = getenv("PROVERUN_TEST_LONG") ? 100000 : 1000;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        golden g;
        golden_init(&g, names[k]);
        fuzz_case(&g, &random, rounds);
        golden_clear(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(decoders_take_anything)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
