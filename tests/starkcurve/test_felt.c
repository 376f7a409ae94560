/* The field and the scalars: laws on random and extreme values, bytes and text with their ranges, roots, inverses. */
#include "base/bytes.h"
#include "support.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char *const prime_hex = "0800000000000011000000000000000000000000000000000000000000000001";
static const char *const prime_decimal = "3618502788666131213697322783095070105623107215331596699973092056135872020481";

static void assert_felt(pr_felt a, pr_felt b) {
    assert_true(pr_felt_equal(a, b));
    assert_memory_equal(&a, &b, sizeof a); /* one form for each element */
}

static void test_laws(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    for (int i = 0; i < TEST_ROUNDS(20000); i++) {
        pr_felt a = test_felt(&prng), b = test_felt(&prng), c = test_felt(&prng);
        assert_felt(pr_felt_add(a, b), pr_felt_add(b, a));
        assert_felt(pr_felt_sub(pr_felt_add(a, b), b), a);
        assert_felt(pr_felt_add(a, pr_felt_neg(a)), PR_FELT_ZERO);
        assert_felt(pr_felt_mul(a, b), pr_felt_mul(b, a));
        assert_felt(pr_felt_mul(pr_felt_mul(a, b), c), pr_felt_mul(a, pr_felt_mul(b, c)));
        assert_felt(pr_felt_mul(a, pr_felt_add(b, c)), pr_felt_add(pr_felt_mul(a, b), pr_felt_mul(a, c)));
        assert_felt(pr_felt_mul(a, PR_FELT_ONE), a);
        assert_felt(pr_felt_double(a), pr_felt_mul(a, pr_felt_from_u64(2)));
        assert_true(pr_u256_less_mask(&a.mont, &PR_FIELD_MODULUS.m));
    }
}

/* The form of multiplication for this prime and the one for any: the same values. */
static void test_two_multiplications(void **state) {
    (void)state;
    const pr_modulus *p = &PR_FIELD_MODULUS;
    pr_prng prng = test_seed();
    for (int i = 0; i < TEST_ROUNDS(100000); i++) {
        pr_u256 a = test_below(&prng, &p->m), b = test_below(&prng, &p->m);
        pr_u256 fast = pr_mod_multiply_sparse(&a, &b, p->m.limb[3]), slow = pr_mod_multiply_any(&a, &b, p);
        fast = pr_mod_reduce_once(&fast, p);
        slow = pr_mod_reduce_once(&slow, p);
        assert_memory_equal(&fast, &slow, sizeof fast);
    }
}

static void test_inverses(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    for (int i = 0; i < TEST_ROUNDS(1500); i++) {
        pr_felt a = test_felt(&prng), inverse = pr_felt_inverse(a);
        assert_felt(pr_felt_inverse_public(a), inverse);
        assert_felt(pr_felt_mul(a, inverse), pr_felt_is_zero(a) ? PR_FELT_ZERO : PR_FELT_ONE);
        pr_scalar k = test_scalar(&prng), opposite = pr_scalar_inverse(k);
        assert_true(pr_scalar_equal(pr_scalar_inverse_public(k), opposite));
        assert_true(pr_scalar_equal(pr_scalar_mul(k, opposite), pr_scalar_from_u64(pr_scalar_is_zero(k) ? 0 : 1)));
    }
}

static void test_batch_inverse(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    pr_felt in[40], out[41];
    for (size_t n = 0; n <= 40; n++) {
        for (size_t i = 0; i < n; i++) in[i] = test_felt(&prng);
        if (n > 2) in[n / 2] = PR_FELT_ZERO;
        out[n] = PR_FELT_ONE;
        pr_felt_batch_inverse(out, in, n);
        for (size_t i = 0; i < n; i++) assert_felt(out[i], pr_felt_inverse(in[i]));
        assert_felt(out[n], PR_FELT_ONE);
    }
}

static void test_roots(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    pr_felt three = pr_felt_from_u64(3), root;
    for (int i = 0; i < TEST_ROUNDS(1000); i++) {
        pr_felt a = test_felt(&prng), square = pr_felt_square(a);
        assert_true(pr_felt_sqrt_public(&root, square));
        assert_false(pr_felt_is_odd(root));
        assert_felt(root, pr_felt_is_odd(a) ? pr_felt_neg(a) : a);
        /* 3 generates the group, so it is no square */
        if (!pr_felt_is_zero(a)) assert_false(pr_felt_sqrt_public(&root, pr_felt_mul(three, square)));
    }
    /* elements of every order 2^k, where the logarithm is hardest */
    pr_felt a = pr_felt_from_u64(3);
    for (int i = 0; i < 60; i++) a = i < 59 ? pr_felt_square(a) : a;
    a = pr_felt_mul(a, pr_felt_from_u64(129140163)); /* 3^(2^59 + 17) */
    for (int k = 192; k > 0; k--) {
        assert_false(k == 192 ? pr_felt_sqrt_public(&root, a) : false);
        pr_felt square = pr_felt_square(a);
        assert_true(pr_felt_sqrt_public(&root, square));
        assert_felt(pr_felt_square(root), square);
        a = square;
    }
    assert_felt(a, PR_FELT_ONE);
}

static void test_bytes_range(void **state) {
    (void)state;
    uint8_t bytes[32], back[32];
    pr_felt a = pr_felt_from_u64(5);
    assert_true(pr_hex_decode(bytes, 32, prime_hex));
    assert_false(pr_felt_from_bytes(&a, bytes)); /* p */
    assert_felt(a, pr_felt_from_u64(5));
    bytes[31] = 0;
    assert_true(pr_felt_from_bytes(&a, bytes)); /* p - 1 */
    assert_felt(a, pr_felt_neg(PR_FELT_ONE));
    pr_felt_to_bytes(back, a);
    assert_memory_equal(back, bytes, 32);
    memset(bytes, 0xff, 32);
    assert_false(pr_felt_from_bytes(&a, bytes));
    pr_scalar k = pr_scalar_from_u64(5);
    pr_u256_to_bytes(bytes, &PR_ORDER_MODULUS.m);
    assert_false(pr_scalar_from_bytes(&k, bytes)); /* n */
    assert_true(pr_scalar_equal(k, pr_scalar_from_u64(5)));
    bytes[31]--;
    assert_true(pr_scalar_from_bytes(&k, bytes));
    assert_true(pr_scalar_equal(k, pr_scalar_neg(pr_scalar_from_u64(1))));
}

static void test_text(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    char text[80], more[82];
    pr_felt a, b;
    for (int i = 0; i < 3000; i++) {
        a = test_felt(&prng);
        pr_felt_to_hex(text, a);
        assert_true(pr_felt_from_hex(&b, text) && pr_felt_equal(a, b));
        assert_true(pr_felt_from_hex(&b, text + 2) && pr_felt_equal(a, b));
        pr_felt_to_decimal(text, a);
        assert_true(pr_felt_from_decimal(&b, text) && pr_felt_equal(a, b));
        snprintf(more, sizeof more, "0%s", text);
        assert_true(pr_felt_from_decimal(&b, more) && pr_felt_equal(a, b));
    }
    pr_felt_to_hex(text, PR_FELT_ZERO);
    assert_string_equal(text, "0x0");
    pr_felt_to_decimal(text, PR_FELT_ZERO);
    assert_string_equal(text, "0");
    pr_felt_to_decimal(text, pr_felt_neg(PR_FELT_ONE));
    assert_string_equal(text, "3618502788666131213697322783095070105623107215331596699973092056135872020480");
    assert_true(pr_felt_from_hex(&a, "0XfF") && pr_felt_equal(a, pr_felt_from_u64(255)));
}

static void test_bad_text(void **state) {
    (void)state;
    static const char *const hex[] = {
        "", "0x", "x1", "0x-1", "1g", " 1", "1 ", "00000000000000000000000000000000000000000000000000000000000000001"};
    static const char *const decimal[] = {
        "",
        "-1",
        "+1",
        "0x1",
        "1a",
        " 1",
        "115792089237316195423570985008687907853269984665640564039457584007913129639936"};
    pr_felt a = pr_felt_from_u64(5);
    for (size_t i = 0; i < sizeof hex / sizeof *hex; i++) assert_false(pr_felt_from_hex(&a, hex[i]));
    for (size_t i = 0; i < sizeof decimal / sizeof *decimal; i++) assert_false(pr_felt_from_decimal(&a, decimal[i]));
    assert_false(pr_felt_from_hex(&a, prime_hex));
    assert_false(pr_felt_from_decimal(&a, prime_decimal));
    assert_felt(a, pr_felt_from_u64(5));
}

/* Samples are below their bound and fill it: with 400 of them, the highest of the 16 parts is missed once in 10^11
 * runs. */
static void test_random(void **state) {
    (void)state;
    unsigned felt_parts = 0, scalar_parts = 0;
    pr_error err = {0};
    for (int i = 0; i < 400; i++) {
        pr_felt a;
        pr_scalar k;
        uint8_t bytes[32];
        assert_int_equal(pr_felt_random(&a, &err), PR_OK);
        assert_int_equal(pr_scalar_random(&k, &err), PR_OK);
        assert_true(pr_u256_less_mask(&k.value, &PR_ORDER_MODULUS.m));
        pr_felt_to_bytes(bytes, a);
        felt_parts |= 1u << (bytes[0] * 2 + bytes[1] / 128);
        scalar_parts |= 1u << (k.value.limb[3] >> 55);
    }
    assert_int_equal(felt_parts, 0xffff);
    assert_int_equal(scalar_parts, 0xffff);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_laws),     cmocka_unit_test(test_two_multiplications),
                                       cmocka_unit_test(test_inverses), cmocka_unit_test(test_batch_inverse),
                                       cmocka_unit_test(test_roots),    cmocka_unit_test(test_bytes_range),
                                       cmocka_unit_test(test_text),     cmocka_unit_test(test_bad_text),
                                       cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
