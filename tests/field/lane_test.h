#ifndef TEST_LANE_H
#define TEST_LANE_H
#include <stddef.h>
#include <stdint.h>

enum { TEST_LANE_WORDS = 4096, TEST_LANE_LIFTS = 8 };

/* Words of one operation after another, from a and b of TEST_LANE_WORDS words: what each kernel file fills. */
typedef struct lane_results {
    uint32_t add[TEST_LANE_WORDS], sub[TEST_LANE_WORDS], neg[TEST_LANE_WORDS], mul[TEST_LANE_WORDS];
    uint32_t mul_doubled[TEST_LANE_WORDS], square[TEST_LANE_WORDS], add32[TEST_LANE_WORDS], xor[TEST_LANE_WORDS];
    uint32_t rotr16[TEST_LANE_WORDS], rotr12[TEST_LANE_WORDS], rotr8[TEST_LANE_WORDS], rotr7[TEST_LANE_WORDS];
    uint32_t reduce_once[TEST_LANE_WORDS]; /* of a + b */
    uint32_t four[TEST_LANE_WORDS];        /* a*b four times */
    uint32_t many[TEST_LANE_WORDS];        /* a*b 4 + 3 * 5 times, folded on the way */
    uint32_t even[TEST_LANE_WORDS / 2], odd[TEST_LANE_WORDS / 2], interleaved[TEST_LANE_WORDS];
    uint32_t mul_broadcast[TEST_LANE_WORDS]; /* by b's first word of each lane */
    uint32_t lifted[TEST_LANE_LIFTS][TEST_LANE_WORDS];
    uint32_t quarters[TEST_LANE_WORDS]; /* of b2, 2b; not scalar */
} lane_results;

typedef void test_lane_fn(lane_results *out, const uint32_t *a, const uint32_t *b, const uint32_t *b2);
test_lane_fn test_lane_scalar, test_lane_avx2, test_lane_avx512;
#endif
