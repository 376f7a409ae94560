#include "starkcurve/key.h"
#include "starkcurve/curve.h"
#include "starkcurve/declassify.h"
#include <sodium.h>

static pr_status create(pr_secret_key **key, pr_error *err) {
    if (sodium_init() < 0) return pr_fail(err, PR_ERR_INTERNAL, "no memory for secrets: sodium_init failed");
    *key = sodium_malloc(sizeof **key);
    return *key ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "no locked memory for a secret key of %zu bytes", sizeof **key);
}

/* Only the coordinate becomes public: how its fraction came about would tell of the secret. */
static void set_public_key(pr_secret_key *key) {
    pr_curve_point point = pr_curve_point_mul_generator(key->secret);
    pr_felt_to_bytes(key->public_key, pr_felt_mul(point.x, pr_felt_inverse(point.z)));
    pr_declassify(key->public_key, sizeof key->public_key);
    sodium_memzero(&point, sizeof point);
}

pr_status pr_secret_key_generate(pr_secret_key **key, pr_error *err) {
    PR_TRY(create(key, err));
    pr_status status = pr_scalar_random(&(*key)->secret, err);
    if (status != PR_OK) {
        pr_secret_key_destroy(*key);
        *key = NULL;
        return status;
    }
    set_public_key(*key);
    return PR_OK;
}

pr_status pr_secret_key_from_bytes(pr_secret_key **key, const uint8_t bytes[32], pr_error *err) {
    PR_TRY(create(key, err));
    bool is_valid = pr_scalar_from_bytes(&(*key)->secret, bytes) && !pr_scalar_is_zero((*key)->secret);
    if (!is_valid) {
        pr_secret_key_destroy(*key);
        *key = NULL;
        return pr_fail(err, PR_ERR_MALFORMED,
                       "a secret key is a number from 1 to the curve's order less 1; this is not");
    }
    set_public_key(*key);
    return PR_OK;
}

void pr_secret_key_destroy(pr_secret_key *key) { sodium_free(key); }
