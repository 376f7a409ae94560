/* Every width against the scalar hash, on every instruction set that this processor has. */
#include "blake2s_lanes_test.h"
#include "base/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { MOST_LANES = 32, MOST_BYTES = 700 };

static void check_width(test_hash_lanes_fn *hash, unsigned width, pr_isa isa) {
    static uint8_t data[MOST_LANES][MOST_BYTES];
    const uint8_t *messages[MOST_LANES];
    pr_prng prng = {width};
    for (unsigned j = 0; j < width; j++) {
        for (size_t k = 0; k < MOST_BYTES; k++) data[j][k] = (uint8_t)pr_prng_next(&prng);
        messages[j] = data[j];
    }
    for (size_t length = 0; length <= MOST_BYTES; length += length < 200 ? 1 : 37) {
        pr_hash out[MOST_LANES];
        hash(out, messages, length);
        for (unsigned j = 0; j < width; j++) {
            pr_hash want = pr_blake2s_hash(messages[j], length);
            assert_memory_equal(&out[j], &want, sizeof want);
        }
    }
    print_message("lanes: %u messages at once agree (%s)\n", width, pr_isa_name(isa));
}

void test_lanes(void **state) {
    (void)state;
    check_width(test_hash_lanes_scalar, test_hash_lanes_width_scalar, PR_ISA_SCALAR);
    check_width(test_hash_abreast_scalar, test_hash_abreast_width_scalar, PR_ISA_SCALAR);
#if defined(__x86_64__)
    if (pr_cpu_has(PR_ISA_AVX2)) {
        check_width(test_hash_lanes_avx2, test_hash_lanes_width_avx2, PR_ISA_AVX2);
        check_width(test_hash_abreast_avx2, test_hash_abreast_width_avx2, PR_ISA_AVX2);
    }
    if (pr_cpu_has(PR_ISA_AVX512)) {
        check_width(test_hash_lanes_avx512, test_hash_lanes_width_avx512, PR_ISA_AVX512);
        check_width(test_hash_abreast_avx512, test_hash_abreast_width_avx512, PR_ISA_AVX512);
    }
#endif
}
