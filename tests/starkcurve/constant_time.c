/* Secret paths under valgrind, with the secrets marked undefined: memcheck then reports each branch and each address
 * that depends on one. Every operation must add no report, and those that are meant for public values must add some, or
 * the test would prove nothing. */
#include "starkcurve/ecdsa.h"
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

static int failures;

static void mark_secret(void *data, size_t n) { (void)VALGRIND_MAKE_MEM_UNDEFINED(data, n); }

typedef struct inputs {
    pr_felt a, b;
    pr_scalar j, k;
    pr_affine base;
    pr_secret_key *key;
} inputs;

static volatile uint8_t sink;
static void use(const void *result, size_t n) { /* the compiler must compute it */
    for (size_t i = 0; i < n; i++) sink = (uint8_t)(sink ^ ((const uint8_t *)result)[i]);
}

static void felt_ring(inputs *in) {
    pr_felt r = pr_felt_mul(pr_felt_add(in->a, in->b), pr_felt_sub(in->a, pr_felt_square(pr_felt_neg(in->b))));
    uint8_t bytes[32];
    pr_felt_to_bytes(bytes, r);
    use(bytes, sizeof bytes);
}
static void felt_inverse(inputs *in) {
    pr_felt r = pr_felt_inverse(in->a);
    use(&r, sizeof r);
}
static void felt_batch_inverse(inputs *in) {
    pr_felt values[3] = {in->a, in->b, PR_FELT_ZERO}, r[3];
    mark_secret(&values[2], sizeof values[2]);
    pr_felt_batch_inverse(r, values, 3);
    use(r, sizeof r);
}
static void scalar_ring(inputs *in) {
    pr_scalar r = pr_scalar_mul(pr_scalar_add(in->j, in->k), pr_scalar_inverse(pr_scalar_neg(in->k)));
    use(&r, sizeof r);
}
static void generator_product(inputs *in) {
    pr_curve_point r = pr_curve_point_mul_generator(in->k);
    use(&r, sizeof r);
}
static void shared_point(inputs *in) { /* Diffie-Hellman */
    pr_curve_point r = pr_curve_point_mul(&in->base, in->k);
    use(&r, sizeof r);
}
static void sign(inputs *in) {
    uint8_t signature[64], digest[32] = {1, 2, 3};
    if (pr_ecdsa_sign(signature, in->key, digest, NULL) != PR_OK) failures++;
    use(signature, sizeof signature);
}
static void public_inverse(inputs *in) {
    pr_felt r = pr_felt_inverse_public(in->a);
    use(&r, sizeof r);
}
static void public_product(inputs *in) {
    pr_jacobian r = pr_jacobian_mul_public(&in->base, in->k);
    use(&r, sizeof r);
}
static void public_comb(inputs *in) {
    pr_jacobian r = pr_jacobian_mul_comb_public(pr_comb_generator(), in->k);
    use(&r, sizeof r);
}
static void public_root(inputs *in) {
    pr_felt root = in->a;
    use(&root, pr_felt_sqrt_public(&root, in->a) ? sizeof root : 1);
}

static const struct {
    const char *name;
    void (*run)(inputs *in);
    bool is_secret;
} operations[] = {
    {"felt ring operations", felt_ring, true},
    {"felt inverse", felt_inverse, true},
    {"felt batch inverse", felt_batch_inverse, true},
    {"scalar ring operations and inverse", scalar_ring, true},
    {"product of the generator", generator_product, true},
    {"product of a point (ECDH)", shared_point, true},
    {"signature", sign, true},
    {"public inverse (control)", public_inverse, false},
    {"public product (control)", public_product, false},
    {"public comb product (control)", public_comb, false},
    {"public square root (control)", public_root, false},
};

static void make_inputs(inputs *in) {
    in->base = pr_curve_generator();
    pr_status status = pr_felt_random(&in->a, NULL);
    if (status == PR_OK) status = pr_felt_random(&in->b, NULL);
    if (status == PR_OK) status = pr_scalar_random(&in->j, NULL);
    if (status == PR_OK) status = pr_scalar_random(&in->k, NULL);
    if (status == PR_OK) status = pr_secret_key_generate(&in->key, NULL);
    PR_ASSERT(status == PR_OK);
}

static void run(size_t i, inputs *in) {
    unsigned before = VALGRIND_COUNT_ERRORS;
    operations[i].run(in);
    unsigned added = VALGRIND_COUNT_ERRORS - before;
    bool good = (added == 0) == operations[i].is_secret;
    printf("%s %s: %u reports\n", good ? "ok    " : "FAILED", operations[i].name, added);
    failures += !good;
}

int main(void) {
    if (!RUNNING_ON_VALGRIND) {
        puts("skipped: valgrind is not installed, or this was not started under it");
        return 77;
    }
    inputs in;
    make_inputs(&in);
    (void)pr_comb_generator();
    mark_secret(&in.a, sizeof in.a);
    mark_secret(&in.b, sizeof in.b);
    mark_secret(&in.j, sizeof in.j);
    mark_secret(&in.k, sizeof in.k);
    mark_secret(&in.key->secret, sizeof in.key->secret);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) run(i, &in);
    pr_secret_key_destroy(in.key);
    return failures != 0;
}
