#include "base/random.h"
#include <sodium.h>

pr_status pr_random_bytes(void *out, size_t n, pr_error *err) {
    if (sodium_init() < 0) return pr_fail(err, PR_ERR_INTERNAL, "no source of randomness: sodium_init failed");
    if (n) randombytes_buf(out, n);
    return PR_OK;
}
