/* No byte of a proof can be changed: what decodes is rejected. Complete for the smallest case, at random elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../proof/golden.h"
#include "verify/verify.h"

static pr_prng dice;

static void expect_refused(const golden *g, const pr_verifier *verifier, pr_decode_code code, pr_proof *proof,
                           size_t at, int flip) {
    pr_verdict verdict = PR_REJECTED_SHAPE;
    if (code == PR_DECODE_OK) assert_int_equal(pr_verifier_run(verifier, proof, &verdict, NULL), PR_OK);
    if (verdict == PR_ACCEPTED) fail_msg("%s: accepted with byte %zu changed by %#x", g->c.name, at, (unsigned)flip);
    pr_proof_clear(proof);
}

static void flip_binary(const golden *g, const pr_verifier *verifier, size_t at, uint8_t flip) {
    pr_proof proof;
    g->binary.data[at] ^= flip;
    pr_decode_code code = pr_proof_decode(&proof, &g->layout, g->binary.data, g->binary.size);
    expect_refused(g, verifier, code, &proof, at, flip);
    g->binary.data[at] ^= flip;
}

static void change_text(const golden *g, const pr_verifier *verifier, size_t at, char sign) {
    pr_proof proof;
    char before = g->c.expected_envelope[at];
    if (before == sign) return;
    g->c.expected_envelope[at] = sign;
    pr_decode_code code =
        pr_proof_read_envelope(&proof, &g->layout, g->c.expected_envelope, g->c.expected_envelope_size, NULL);
    expect_refused(g, verifier, code, &proof, at, before ^ sign);
    g->c.expected_envelope[at] = before;
}

static void every_flip_of_a_small_proof_is_refused(void **state) {
    (void)state;
    golden g;
    pr_verifier *verifier;
    golden_init(&g, "wide_fibonacci_l4_c4");
    assert_int_equal(pr_verifier_create(&verifier, &g.c.statement, NULL), PR_OK);
    for (size_t at = 0; at < g.binary.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) flip_binary(&g, verifier, at, (uint8_t)(1u << bit));
        flip_binary(&g, verifier, at, 0xff);
    }
    for (size_t at = 0; at < g.c.expected_envelope_size; at++) {
        static const char signs[] = "09[], :\"";
        for (const char *s = signs; *s; s++) change_text(&g, verifier, at, *s);
    }
    pr_verifier_destroy(verifier);
    golden_clear(&g);
}

static void flip_at_random(golden *g) {
    pr_verifier *verifier;
    assert_int_equal(pr_verifier_create(&verifier, &g->c.statement, NULL), PR_OK);
    for (int k = 0; k < 2000; k++)
        flip_binary(g, verifier, pr_prng_below(&dice, (uint32_t)g->binary.size),
                    (uint8_t)(1 + pr_prng_below(&dice, 255)));
    for (int k = 0; k < 300; k++)
        change_text(g, verifier, pr_prng_below(&dice, (uint32_t)g->c.expected_envelope_size),
                    (char)pr_prng_below(&dice, 256));
    pr_verifier_destroy(verifier);
}

static void random_flips_are_refused(void **state) {
    (void)state;
    dice = golden_seed("flips");
    golden_for_each(flip_at_random);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flip_of_a_small_proof_is_refused),
        cmocka_unit_test(random_flips_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
