/* Additively homomorphic ElGamal and its proofs; declared in elgamal.h. */
#include "starkcurve/elgamal.h"
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- the second generator ---- */

static pr_affine second_generator;

static void make_second_generator(void) {
    static const char domain[] = "proverun second generator v1";
    for (uint8_t counter = 0;; counter++) {
        uint8_t digest[32];
        crypto_generichash_state state;
        crypto_generichash_init(&state, NULL, 0, sizeof digest);
        crypto_generichash_update(&state, (const uint8_t *)domain, sizeof domain);
        crypto_generichash_update(&state, &counter, 1);
        crypto_generichash_final(&state, digest, sizeof digest);
        digest[0] &= 0x07; /* 251 bits: below p */
        if (pr_affine_from_x_bytes_public(&second_generator, digest)) return;
    }
}

pr_affine pr_curve_second_generator(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_second_generator);
    return second_generator;
}

/* ---- points ---- */

static pr_curve_point value_times_h(pr_scalar value) {
    pr_affine h = pr_curve_second_generator();
    return pr_curve_point_mul(&h, value);
}

static pr_curve_point subtract(const pr_curve_point *a, const pr_curve_point *b) {
    pr_curve_point minus = pr_curve_point_neg(b);
    return pr_curve_point_add(a, &minus);
}

/* k P for a point that may be infinity. */
static pr_curve_point multiply(const pr_curve_point *p, pr_scalar k) {
    pr_affine a;
    return pr_curve_point_to_affine(&a, p) ? pr_curve_point_mul(&a, k) : pr_curve_point_infinity();
}

/* BLAKE2b-512 of the domain and the points, modulo n. Infinity is 64 zero bytes, which no point is. */
static pr_scalar challenge_of(const char *domain, const pr_curve_point *const *points, size_t n) {
    crypto_generichash_state state;
    uint8_t digest[64];
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    crypto_generichash_update(&state, (const uint8_t *)domain, strlen(domain) + 1);
    for (size_t i = 0; i < n; i++) {
        uint8_t bytes[64] = {0};
        pr_affine a;
        if (pr_curve_point_to_affine(&a, points[i])) pr_affine_to_bytes(bytes, &a);
        crypto_generichash_update(&state, bytes, sizeof bytes);
    }
    crypto_generichash_final(&state, digest, sizeof digest);
    return pr_scalar_from_wide_bytes(digest);
}

/* ---- encryption and the proof of knowledge ---- */

/* (r G, r P + m H) */
static pr_count encrypt(const pr_affine *recipient, pr_scalar r, pr_scalar m) {
    pr_curve_point shared = pr_curve_point_mul(recipient, r), value = value_times_h(m);
    return (pr_count){pr_curve_point_mul_generator(r), pr_curve_point_add(&shared, &value)};
}

static pr_scalar knowledge_challenge(const pr_affine *recipient, const pr_count *count, const pr_count *commitment) {
    pr_curve_point p = pr_curve_point_from_affine(recipient);
    const pr_curve_point *const points[] = {&p, &count->c1, &count->c2, &commitment->c1, &commitment->c2};
    return challenge_of("proverun count knowledge v1", points, 5);
}

static pr_status prove_knowledge(pr_count_proof *proof, const pr_count *count, const pr_affine *recipient, pr_scalar r,
                                 pr_scalar m, pr_error *err) {
    pr_scalar a, b;
    PR_TRY(pr_scalar_random(&a, err));
    PR_TRY(pr_scalar_random(&b, err));
    pr_count commitment = encrypt(recipient, a, b);
    pr_scalar e = knowledge_challenge(recipient, count, &commitment);
    *proof = (pr_count_proof){e, pr_scalar_add(a, pr_scalar_mul(e, r)), pr_scalar_add(b, pr_scalar_mul(e, m))};
    sodium_memzero(&a, sizeof a);
    sodium_memzero(&b, sizeof b);
    return PR_OK;
}

pr_status pr_count_encrypt(pr_count *out, pr_count_proof *proof, const uint8_t public_key[32], uint64_t value,
                           pr_error *err) {
    pr_affine recipient;
    pr_scalar r, m = pr_scalar_from_u64(value);
    if (!pr_affine_from_x_bytes_public(&recipient, public_key))
        return pr_fail(err, PR_ERR_USAGE, "no point of the curve is this public key");
    PR_TRY(pr_scalar_random(&r, err));
    *out = encrypt(&recipient, r, m);
    pr_status status = proof ? prove_knowledge(proof, out, &recipient, r, m, err) : PR_OK;
    sodium_memzero(&r, sizeof r);
    return status;
}

/* The commitment that the responses imply, for which the challenge must come out again. */
bool pr_count_check(const pr_count *count, const pr_count_proof *proof, const uint8_t public_key[32]) {
    pr_affine recipient;
    if (!pr_affine_from_x_bytes_public(&recipient, public_key)) return false;
    pr_count responses = encrypt(&recipient, proof->response_r, proof->response_m);
    pr_curve_point e1 = multiply(&count->c1, proof->challenge), e2 = multiply(&count->c2, proof->challenge);
    pr_count commitment = {subtract(&responses.c1, &e1), subtract(&responses.c2, &e2)};
    return pr_scalar_equal(knowledge_challenge(&recipient, count, &commitment), proof->challenge);
}

pr_count pr_count_add(const pr_count *a, const pr_count *b) {
    return (pr_count){pr_curve_point_add(&a->c1, &b->c1), pr_curve_point_add(&a->c2, &b->c2)};
}

/* ---- decryption and the proof of an opening ---- */

/* The secret of the point with an even y, which is the one that others encrypt to. Which of d and n - d it is may be
 * seen: it says no more about d than the public key. */
static pr_scalar even_secret(const pr_secret_key *key, const pr_affine *even) {
    pr_curve_point p = pr_curve_point_mul_generator(key->secret), wanted = pr_curve_point_from_affine(even);
    return pr_curve_point_equal(&p, &wanted) ? key->secret : pr_scalar_neg(key->secret);
}

static pr_scalar opening_challenge(const pr_affine *owner, const pr_count *count, const pr_curve_point *shared,
                                   const pr_curve_point *over_g, const pr_curve_point *over_c1) {
    pr_curve_point p = pr_curve_point_from_affine(owner);
    const pr_curve_point *const points[] = {&p, &count->c1, &count->c2, shared, over_g, over_c1};
    return challenge_of("proverun count opening v1", points, 6);
}

static pr_status prove_opening(pr_opening_proof *proof, const pr_count *count, const pr_curve_point *shared,
                               const pr_affine *owner, pr_scalar secret, pr_error *err) {
    pr_scalar a;
    PR_TRY(pr_scalar_random(&a, err));
    pr_curve_point over_g = pr_curve_point_mul_generator(a), over_c1 = multiply(&count->c1, a);
    pr_scalar e = opening_challenge(owner, count, shared, &over_g, &over_c1);
    *proof = (pr_opening_proof){e, pr_scalar_add(a, pr_scalar_mul(e, secret))};
    sodium_memzero(&a, sizeof a);
    return PR_OK;
}

bool pr_opening_check(const pr_count *count, uint64_t value, const pr_opening_proof *proof,
                      const uint8_t public_key[32]) {
    pr_affine owner;
    if (!pr_affine_from_x_bytes_public(&owner, public_key)) return false;
    pr_curve_point value_point = value_times_h(pr_scalar_from_u64(value)), shared = subtract(&count->c2, &value_point);
    pr_curve_point p = pr_curve_point_mul(&owner, proof->challenge), s = multiply(&shared, proof->challenge);
    pr_curve_point over_g = pr_curve_point_mul_generator(proof->response),
                   over_c1 = multiply(&count->c1, proof->response);
    over_g = subtract(&over_g, &p);
    over_c1 = subtract(&over_c1, &s);
    return pr_scalar_equal(opening_challenge(&owner, count, &shared, &over_g, &over_c1), proof->challenge);
}

/* ---- small logarithms: D. Shanks ---- */

typedef struct step {
    uint8_t key[8]; /* of the x coordinate; infinity: zeros */
    uint32_t index;
} step;

static void step_key(uint8_t key[8], const pr_curve_point *p) {
    uint8_t bytes[32] = {0};
    pr_affine a;
    if (pr_curve_point_to_affine(&a, p)) pr_felt_to_bytes(bytes, a.x);
    memcpy(key, bytes + 24, 8);
}

static int compare_steps(const void *a, const void *b) {
    return memcmp(((const step *)a)->key, ((const step *)b)->key, sizeof((const step *)a)->key);
}

static uint32_t root_above(uint64_t limit) {
    uint32_t n = 1;
    while ((uint64_t)n * n < limit) n++;
    return n;
}

static bool is_value(const pr_curve_point *p, uint64_t value) {
    pr_curve_point q = value_times_h(pr_scalar_from_u64(value));
    return pr_curve_point_equal(p, &q);
}

/* p = value H with value = i n + j: p - i (n H) is among the baby steps j H. */
static bool find_value(uint64_t *value, const pr_curve_point *p, step *steps, uint32_t n, uint64_t limit) {
    pr_affine h_affine = pr_curve_second_generator();
    pr_curve_point h = pr_curve_point_from_affine(&h_affine), baby = pr_curve_point_infinity(), rest = *p;
    for (uint32_t j = 0; j < n; j++) {
        step_key(steps[j].key, &baby);
        steps[j].index = j;
        baby = pr_curve_point_add(&baby, &h);
    }
    qsort(steps, n, sizeof *steps, compare_steps);
    for (uint32_t i = 0; i < n; i++) {
        step wanted;
        step_key(wanted.key, &rest);
        const step *hit = bsearch(&wanted, steps, n, sizeof *steps, compare_steps);
        *value = (uint64_t)i * n + (hit ? hit->index : 0);
        if (hit && *value < limit && is_value(p, *value)) return true;
        rest = subtract(&rest, &baby);
    }
    return false;
}

pr_status pr_count_decrypt(uint64_t *value, pr_opening_proof *proof, const pr_count *count, const pr_secret_key *key,
                           uint64_t limit, pr_error *err) {
    pr_affine owner;
    if (limit < 1 || limit > (uint64_t)1 << 40) return pr_fail(err, PR_ERR_USAGE, "the limit of a count is 1 to 2^40");
    if (!pr_affine_from_x_bytes_public(&owner, key->public_key))
        return pr_fail(err, PR_ERR_USAGE, "no point of the curve is this key's");
    uint32_t n = root_above(limit);
    step *steps = malloc(n * sizeof *steps);
    if (!steps) return pr_fail(err, PR_ERR_MEMORY, "no memory for %u steps", n);
    pr_scalar secret = even_secret(key, &owner);
    pr_curve_point shared = multiply(&count->c1, secret), rest = subtract(&count->c2, &shared);
    bool found = find_value(value, &rest, steps, n, limit);
    free(steps);
    pr_status status = PR_OK;
    if (!found)
        status =
            pr_fail(err, PR_ERR_REFUSED, "no count below %llu, or encrypted to another key", (unsigned long long)limit);
    else if (proof)
        status = prove_opening(proof, count, &shared, &owner, secret, err);
    sodium_memzero(&secret, sizeof secret);
    return status;
}
