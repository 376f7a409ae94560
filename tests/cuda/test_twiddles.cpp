/* Products by twiddles as the tables of the device have them, where ranges end and at random. */
#include <cstdarg>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}
#include "cuda/domain.cuh"

using namespace PR_GPU;

static uint64_t random_word(uint64_t *state) { /* splitmix64 */
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void check(pr_m31 a, pr_m31 b, pr_m31 t) {
    const uint64_t difference = a >= b ? a - b : (uint64_t)a + PR_P - b;
    const uint32_t doubled = double_twiddle(t);
    assert_int_equal(halve_twiddle(doubled), t);
    assert_int_equal(mul_twiddle(a, doubled), (uint64_t)a * t % PR_P);
    assert_int_equal(mul_twiddle(a - b, doubled), difference * t % PR_P);
    assert_int_equal(pr_m31_mul(a, t), (uint64_t)a * t % PR_P);
    assert_int_equal(pr_m31_sub(a, b), difference);
    assert_int_equal(pr_m31_add(a, b), ((uint64_t)a + b) % PR_P);
}

static void products_hold(void **) {
    const char *text = std::getenv("PROVERUN_TEST_SEED");
    uint64_t state = text ? strtoull(text, nullptr, 0) : 20261129;
    print_message("PROVERUN_TEST_SEED=%llu\n", (unsigned long long)state);
    const pr_m31 ends[] = {0,        1,        2,       3, PR_P / 2 - 1, PR_P / 2, PR_P / 2 + 1, PR_P / 2 + 2,
                           PR_P - 3, PR_P - 2, PR_P - 1};
    for (const pr_m31 a : ends)
        for (const pr_m31 b : ends)
            for (const pr_m31 t : ends) check(a, b, t);
    for (int i = 0; i < 100000; i++) {
        const uint64_t r = random_word(&state), s = random_word(&state);
        check((pr_m31)(r % PR_P), (pr_m31)((r >> 32) % PR_P), (pr_m31)(s % PR_P));
    }
}

int main() {
    const CMUnitTest tests[] = {cmocka_unit_test(products_hold)};
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
