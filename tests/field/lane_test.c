/* Each width of the lane vocabulary against plain arithmetic, on every instruction set that this processor has. */
#include "lane_test.h"
#include "base/cpu.h"
#include "field/m31.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "../base/seed.h"

static uint32_t a[TEST_LANE_WORDS], b[TEST_LANE_WORDS], b2[TEST_LANE_WORDS];
static lane_results out;

/* All pairs of words from the edges first, then random ones. */
static int setup(void **state) {
    (void)state;
    static const uint32_t edge[] = {0,        1,        2,         PR_P - 1, PR_P - 2, PR_P / 2, PR_P / 2 + 1,
                                    1u << 15, 1u << 16, 0x55555555};
    enum { EDGES = sizeof edge / sizeof *edge };
    pr_prng prng = test_seed();
    for (size_t k = 0; k < TEST_LANE_WORDS; k++) {
        a[k] = k < EDGES * EDGES ? edge[k / EDGES] : pr_prng_below(&prng, PR_P);
        b[k] = k < EDGES * EDGES ? edge[k % EDGES] : pr_prng_below(&prng, PR_P);
        b2[k] = 2 * b[k];
    }
    return 0;
}

static uint32_t rotr(uint32_t v, unsigned n) { return v >> n | v << (32 - n); }

static uint32_t times(uint32_t x, uint32_t y, uint32_t n) { return (uint32_t)((uint64_t)x * y % PR_P * n % PR_P); }

static void check_words(size_t k, size_t width) {
    uint32_t x = a[k], y = b[k];
    assert_int_equal(out.add[k], (x + y) % PR_P);
    assert_int_equal(out.sub[k], (x + PR_P - y) % PR_P);
    assert_int_equal(out.neg[k], (PR_P - x) % PR_P);
    assert_int_equal(out.mul[k], times(x, y, 1));
    assert_int_equal(out.mul_doubled[k], times(x, b[k / width * width], 1));
    assert_int_equal(out.mul_broadcast[k], times(x, b[k / width * width], 1));
    for (unsigned log = 0; log < TEST_LANE_LIFTS; log++)
        assert_int_equal(out.lifted[log][k], a[(k >> (log + 1) << 1) + (k & 1)]);
    if (width > 1) { /* doubled words y -y -x x of x, y; minus zero may be 2p */
        uint32_t from = b[k / 4 * 2 + (k % 4 < 2)], word = out.quarters[k];
        assert_int_equal(word % 2, 0);
        assert_int_equal(word / 2 % PR_P, k % 4 == 1 || k % 4 == 2 ? (PR_P - from) % PR_P : from);
    }
    assert_int_equal(out.square[k], times(x, x, 1));
    assert_int_equal(out.add32[k], x + y);
    assert_int_equal(out.xor [k], x ^ y);
    assert_int_equal(out.rotr16[k], rotr(x, 16));
    assert_int_equal(out.rotr12[k], rotr(x, 12));
    assert_int_equal(out.rotr8[k], rotr(x, 8));
    assert_int_equal(out.rotr7[k], rotr(x, 7));
    assert_int_equal(out.reduce_once[k], (x + y) % PR_P);
    assert_int_equal(out.four[k], times(x, y, 4));
    assert_int_equal(out.many[k], times(x, y, 19));
}

static void check(test_lane_fn *fill, size_t width, pr_isa isa) {
    if (!pr_cpu_has(isa)) skip();
    fill(&out, a, b, b2);
    for (size_t k = 0; k < TEST_LANE_WORDS; k++) check_words(k, width);
    for (size_t k = 0; k < TEST_LANE_WORDS / 2; k++) {
        assert_int_equal(out.even[k], a[2 * k]);
        assert_int_equal(out.odd[k], a[2 * k + 1]);
        assert_int_equal(out.interleaved[2 * k], a[k]);
        assert_int_equal(out.interleaved[2 * k + 1], b[k]);
    }
}

static void test_scalar(void **state) {
    (void)state;
    check(test_lane_scalar, 1, PR_ISA_SCALAR);
}

#if defined(__x86_64__)
static void test_avx2(void **state) {
    (void)state;
    check(test_lane_avx2, 8, PR_ISA_AVX2);
}

static void test_avx512(void **state) {
    (void)state;
    check(test_lane_avx512, 16, PR_ISA_AVX512);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalar),
#if defined(__x86_64__)
        cmocka_unit_test(test_avx2),
        cmocka_unit_test(test_avx512),
#endif
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
