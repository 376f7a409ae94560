/* Every word of the lane vocabulary over arrays, for lane_test.c. */
#include "field/lane.h"
#include "lane_test.h"

static lane sum_of_products(lane a, lane b, int folds) {
    lane_acc s = lane_acc_zero();
    for (int k = 0; k < 4; k++) s = lane_acc_mul_add(s, a, b);
    for (int fold = 0; fold < folds; fold++) {
        s = lane_acc_fold(s);
        for (int k = 0; k < 3; k++) s = lane_acc_mul_add(s, a, b);
    }
    return lane_acc_reduce(s);
}

static void words(lane_results *out, const uint32_t *pa, const uint32_t *pb, size_t at) {
    lane a = lane_load(pa + at), b = lane_load(pb + at);
    lane_store(out->add + at, lane_add(a, b));
    lane_store(out->sub + at, lane_sub(a, b));
    lane_store(out->neg + at, lane_neg(a));
    lane_store(out->mul + at, lane_mul(a, b));
    lane_store(out->mul_doubled + at, lane_mul_doubled(a, lane_set1(2 * pb[at])));
    lane_store(out->mul_broadcast + at, lane_mul_broadcast(a, lane_set1(2 * pb[at])));
    for (unsigned log = 0; log < TEST_LANE_LIFTS; log++)
        lane_store(out->lifted[log] + at, lane_load_lifted(pa, log, at));
    lane_store(out->square + at, lane_square(a));
    lane_store(out->add32 + at, lane_add32(a, b));
    lane_store(out->xor +at, lane_xor(a, b));
    lane_store(out->rotr16 + at, lane_rotr(a, 16));
    lane_store(out->rotr12 + at, lane_rotr(a, 12));
    lane_store(out->rotr8 + at, lane_rotr(a, 8));
    lane_store(out->rotr7 + at, lane_rotr(a, 7));
    lane_store(out->reduce_once + at, lane_reduce_once(lane_add32(a, b)));
    lane_store(out->four + at, sum_of_products(a, b, 0));
    lane_store(out->many + at, sum_of_products(a, b, 5));
}

void PR_LANE_NAME(test_lane)(lane_results *out, const uint32_t *a, const uint32_t *b, const uint32_t *b2) {
    for (size_t at = 0; at < TEST_LANE_WORDS; at += LANE_WIDTH) words(out, a, b, at);
#if LANE_WIDTH > 1
    for (size_t at = 0; at < TEST_LANE_WORDS; at += LANE_WIDTH)
        lane_store(out->quarters + at, lane_load_quarters(b2 + at / 2));
#else
    (void)b2;
#endif
    for (size_t at = 0; at < TEST_LANE_WORDS / 2; at += LANE_WIDTH) {
        lane even, odd, low, high;
        lane_deinterleave(&even, &odd, lane_load(a + 2 * at), lane_load(a + 2 * at + LANE_WIDTH));
        lane_store(out->even + at, even);
        lane_store(out->odd + at, odd);
        lane_interleave(&low, &high, lane_load(a + at), lane_load(b + at));
        lane_store(out->interleaved + 2 * at, low);
        lane_store(out->interleaved + 2 * at + LANE_WIDTH, high);
    }
}
