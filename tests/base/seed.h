/* The seed of a property test: PROVERUN_SEED from the environment, else the clock; printed, so that a failure replays.
 */
#ifndef TEST_SEED_H
#define TEST_SEED_H
#include "base/clock.h"
#include "base/random.h"
#include <stdio.h>
#include <stdlib.h>

static inline pr_prng test_seed(void) {
    const char *text = getenv("PROVERUN_SEED");
    pr_prng prng = {text ? strtoull(text, NULL, 0) : pr_clock_wall_ns()};
    printf("PROVERUN_SEED=%llu\n", (unsigned long long)prng.state);
    fflush(stdout);
    return prng;
}
#endif
