/* felt252 beside other ways to multiply modulo the same prime, and signatures. All in time of this thread on a
 * processor, so that other programs disturb the comparison less. */
#include "app/bench.h"
#include "base/random.h"
#include "starkcurve/ecdsa.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef PR_HAVE_BIGNUM
#include <openssl/bn.h>
#endif

typedef unsigned __int128 u128;
enum { N_SLICES = 50, SLOW_STEPS = 60000, N_SIGNATURES = 1000 };

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double ns_since(uint64_t start, double steps) { return (double)(now_ns() - start) / steps; }

/* The method of school: every word by every word. */
static void school_product(uint64_t product[8], const pr_u256 *a, const pr_u256 *b) {
    memset(product, 0, 8 * sizeof *product);
    for (int i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < 4; j++) {
            u128 sum = (u128)a->limb[i] * b->limb[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
        product[i + 4] = carry;
    }
}

/* Long division bit by bit: shift, compare, subtract. */
static pr_u256 divide_bits(const uint64_t product[8], const pr_u256 *m) {
    pr_u256 rest = {{0}}, less;
    for (int bit = 511; bit >= 0; bit--) {
        for (int i = 3; i > 0; i--) rest.limb[i] = rest.limb[i] << 1 | rest.limb[i - 1] >> 63;
        rest.limb[0] = rest.limb[0] << 1 | (product[bit / 64] >> bit % 64 & 1);
        if (!pr_u256_sub(&less, &rest, m)) rest = less;
    }
    return rest;
}

/* Long division by digits of 32 bits: D. Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D. */
static pr_u256 divide_words(const uint64_t product[8], const pr_u256 *m) {
    uint32_t u[17] = {0}, v[8];
    int shift = __builtin_clzll(m->limb[3]);
    for (int i = 7; i >= 0; i--) v[i] = (uint32_t)(m->limb[i / 2] >> 32 * (i % 2));
    for (int i = 7; i >= 0; i--) v[i] = v[i] << shift | (i ? (uint32_t)((uint64_t)v[i - 1] >> (32 - shift)) : 0);
    for (int i = 0; i < 16; i++) u[i] = (uint32_t)(product[i / 2] >> 32 * (i % 2));
    for (int i = 16; i >= 0; i--) u[i] = u[i] << shift | (i ? (uint32_t)((uint64_t)u[i - 1] >> (32 - shift)) : 0);
    for (int j = 8; j >= 0; j--) {
        uint64_t top = (uint64_t)u[j + 8] << 32 | u[j + 7], q = top / v[7], r = top % v[7];
        while (r >> 32 == 0 && (q >> 32 || q * v[6] > (r << 32 | u[j + 6]))) q--, r += v[7];
        int64_t borrow = 0;
        uint64_t carry = 0;
        for (int i = 0; i < 8; i++) {
            carry += q * v[i];
            borrow += (int64_t)u[i + j] - (int64_t)(uint32_t)carry;
            u[i + j] = (uint32_t)borrow;
            borrow >>= 32;
            carry >>= 32;
        }
        borrow += (int64_t)u[j + 8] - (int64_t)carry;
        u[j + 8] = (uint32_t)borrow;
        if (borrow >= 0) continue;
        carry = 0; /* the digit was one too large */
        for (int i = 0; i < 8; i++) {
            carry += (uint64_t)u[i + j] + v[i];
            u[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        u[j + 8] += (uint32_t)carry;
    }
    pr_u256 rest;
    for (int i = 0; i < 4; i++) {
        uint64_t low = ((uint64_t)u[2 * i + 1] << 32 | u[2 * i]) >> shift;
        rest.limb[i] = low | (shift ? (uint64_t)u[2 * i + 2] << (64 - shift) : 0);
    }
    return rest;
}

typedef pr_u256 (*divider)(const uint64_t product[8], const pr_u256 *m);

static double time_division(pr_u256 *x, divider divide, const pr_u256 *factor) {
    uint64_t start = now_ns(), product[8];
    for (int i = 0; i < SLOW_STEPS; i++) {
        school_product(product, x, factor);
        *x = divide(product, &PR_FIELD_MODULUS.m);
    }
    return ns_since(start, SLOW_STEPS);
}

static pr_status check_equal(const pr_u256 *a, const pr_u256 *b, pr_error *err) {
    if (!memcmp(a, b, sizeof *a)) return PR_OK;
    return pr_fail(err, PR_ERR_INTERNAL, "two ways to multiply modulo the same prime disagree");
}

static pr_u256 plain(pr_felt a) {
    uint8_t bytes[32];
    pr_u256 r;
    pr_felt_to_bytes(bytes, a);
    pr_u256_from_bytes(&r, bytes);
    return r;
}

/* Of two times of the same steps the lesser, for what a hypervisor takes counts as time of this thread. */
static void keep_least(double *least_ns, uint64_t start) {
    const double ns = ns_since(start, SLOW_STEPS);
    if (*least_ns == 0 || ns < *least_ns) *least_ns = ns;
}

static double time_felts(pr_felt *x, pr_felt factor) {
    double least_ns = 0;
    for (int slice = 0; slice < N_SLICES; slice++) {
        const uint64_t start = now_ns();
        for (int i = 0; i < SLOW_STEPS; i++) *x = pr_felt_mul(*x, factor);
        keep_least(&least_ns, start);
    }
    return least_ns;
}

#ifdef PR_HAVE_BIGNUM
static bool time_montgomery(double *least_ns, BIGNUM *a, const BIGNUM *b, BN_MONT_CTX *montgomery, BN_CTX *context) {
    bool good = true;
    const uint64_t start = now_ns();
    for (int i = 0; good && i < SLOW_STEPS; i++) good = BN_mod_mul_montgomery(a, a, b, montgomery, context);
    keep_least(least_ns, start);
    return good;
}

/* ns a multiplication: Montgomery's and with division. False: libcrypto failed, or computes something else. */
static bool time_bignum(double *montgomery_ns, double *division_ns, const pr_u256 *x, const pr_u256 *factor,
                        const pr_u256 *expected) {
    uint8_t bytes[3][32], result[32], wanted[32];
    pr_u256_to_bytes(bytes[0], &PR_FIELD_MODULUS.m);
    pr_u256_to_bytes(bytes[1], x);
    pr_u256_to_bytes(bytes[2], factor);
    pr_u256_to_bytes(wanted, expected);
    BN_CTX *context = BN_CTX_new();
    BN_MONT_CTX *montgomery = BN_MONT_CTX_new();
    BIGNUM *p = BN_bin2bn(bytes[0], 32, NULL), *a = BN_bin2bn(bytes[1], 32, NULL), *b = BN_bin2bn(bytes[2], 32, NULL),
           *c = BN_dup(a), *d = BN_dup(b), *more = NULL;
    bool good = context && montgomery && p && a && b && c && d && BN_MONT_CTX_set(montgomery, p, context) &&
                BN_to_montgomery(a, a, montgomery, context) && BN_to_montgomery(b, b, montgomery, context);
    *montgomery_ns = 0;
    good = good && time_montgomery(montgomery_ns, a, b, montgomery, context) && (more = BN_dup(a));
    for (int slice = 1; good && slice < N_SLICES; slice++)
        good = time_montgomery(montgomery_ns, more, b, montgomery, context);
    uint64_t start = now_ns();
    for (int i = 0; good && i < SLOW_STEPS; i++) good = BN_mod_mul(c, c, d, p, context);
    *division_ns = ns_since(start, SLOW_STEPS);
    good = good && BN_from_montgomery(a, a, montgomery, context) && !BN_cmp(a, c) &&
           BN_bn2binpad(a, result, 32) == 32 && !memcmp(result, wanted, 32);
    BN_free(p), BN_free(a), BN_free(b), BN_free(c), BN_free(d), BN_free(more);
    BN_MONT_CTX_free(montgomery);
    BN_CTX_free(context);
    return good;
}
#endif

static pr_status print_bignum(const pr_u256 *x, const pr_u256 *factor, const pr_u256 *expected, pr_error *err) {
#ifdef PR_HAVE_BIGNUM
    double montgomery_ns, division_ns;
    if (!time_bignum(&montgomery_ns, &division_ns, x, factor, expected))
        return pr_fail(err, PR_ERR_INTERNAL, "libcrypto does not multiply as felt252 does");
    printf(",\"openssl_montgomery_ns\":%.2f,\"openssl_mod_mul_ns\":%.2f", montgomery_ns, division_ns);
#else
    (void)x, (void)factor, (void)expected, (void)err;
    printf(",\"openssl_montgomery_ns\":null,\"openssl_mod_mul_ns\":null");
#endif
    return PR_OK;
}

static void print_inverses(pr_felt a) {
    enum { STEPS = 20000 };
    uint64_t start = now_ns();
    for (int i = 0; i < STEPS; i++) a = pr_felt_inverse(pr_felt_add(a, PR_FELT_ONE));
    double secret_ns = ns_since(start, STEPS);
    start = now_ns();
    for (int i = 0; i < STEPS; i++) a = pr_felt_inverse_public(pr_felt_add(a, PR_FELT_ONE));
    printf(",\"inverse_ns\":%.0f,\"inverse_public_ns\":%.0f,\"inverse_check\":%u", secret_ns, ns_since(start, STEPS),
           (unsigned)a.mont.limb[0] & 1);
}

/* All in one run, each multiplication waiting for the one before. */
pr_status bench_felt252(pr_error *err) {
    pr_felt factor, first, x;
    if (!pr_felt_from_hex(&factor, "0x6f21413efbe40de150e596d72f7a8c5609ad26c15c915c1f4cdfcb99cee9e89")) abort();
    first = x = pr_felt_add(factor, PR_FELT_ONE);
    double mul_ns = time_felts(&x, factor);
    unsigned check = (unsigned)x.mont.limb[0] & 1;
    x = first;
    for (int i = 0; i < SLOW_STEPS; i++) x = pr_felt_mul(x, factor);
    pr_u256 expected = plain(x), f = plain(factor), bits = plain(first), words = bits;
    double bits_ns = time_division(&bits, divide_bits, &f), words_ns = time_division(&words, divide_words, &f);
    PR_TRY(check_equal(&bits, &expected, err));
    PR_TRY(check_equal(&words, &expected, err));
    printf("{\"bench\":\"felt252\",\"dependent\":true,\"mul_ns\":%.2f,\"long_division_by_bits_ns\":%.1f,\"times\":%.1f,"
           "\"long_division_by_words_ns\":%.1f,\"times_words\":%.1f,\"check\":%u",
           mul_ns, bits_ns, bits_ns / mul_ns, words_ns, words_ns / mul_ns, check);
    f = plain(first);
    words = plain(factor);
    PR_TRY(print_bignum(&f, &words, &expected, err));
    print_inverses(x);
    puts("}");
    return PR_OK;
}

typedef struct signed_messages {
    pr_secret_key *key;
    pr_ecdsa_key *prepared;
    uint8_t (*digest)[32], (*signature)[64];
} signed_messages;

static pr_status time_signatures(signed_messages *s, pr_error *err) {
    size_t valid = 0;
    PR_TRY(pr_random_bytes(s->digest, N_SIGNATURES * sizeof *s->digest, err));
    PR_TRY(pr_secret_key_generate(&s->key, err));
    uint64_t start = now_ns();
    for (int i = 0; i < N_SIGNATURES; i++) PR_TRY(pr_ecdsa_sign(s->signature[i], s->key, s->digest[i], err));
    double sign_us = ns_since(start, N_SIGNATURES) / 1e3;
    start = now_ns();
    for (int i = 0; i < N_SIGNATURES; i++) valid += pr_ecdsa_verify(s->key->public_key, s->digest[i], s->signature[i]);
    double verify_us = ns_since(start, N_SIGNATURES) / 1e3;
    start = now_ns();
    bool is_prepared = pr_ecdsa_key_prepare(s->prepared, s->key->public_key);
    double prepare_us = ns_since(start, 1) / 1e3;
    start = now_ns();
    for (int i = 0; is_prepared && i < N_SIGNATURES; i++)
        valid += pr_ecdsa_verify_prepared(s->prepared, s->digest[i], s->signature[i]);
    double prepared_us = ns_since(start, N_SIGNATURES) / 1e3;
    start = now_ns();
    for (int i = 0; i < N_SIGNATURES; i++)
        PR_TRY(pr_ecdsa_sign_prepared(s->signature[i], s->key, is_prepared ? s->prepared : NULL, s->digest[i], err));
    double sign_prepared_us = ns_since(start, N_SIGNATURES) / 1e3;
    if (valid != 2 * N_SIGNATURES) return pr_fail(err, PR_ERR_INTERNAL, "a signature of the benchmark does not verify");
    printf("{\"bench\":\"ecdsa\",\"n\":%d,\"sign_us\":%.1f,\"sign_prepared_us\":%.1f,\"verify_us\":%.1f,"
           "\"verify_per_second\":%.0f,\"prepare_us\":%.0f,\"verify_prepared_us\":%.1f,"
           "\"verify_prepared_per_second\":%.0f}\n",
           N_SIGNATURES, sign_us, sign_prepared_us, verify_us, 1e6 / verify_us, prepare_us, prepared_us,
           1e6 / prepared_us);
    return PR_OK;
}

pr_status bench_ecdsa(pr_error *err) {
    signed_messages s = {NULL, malloc(sizeof *s.prepared), malloc(N_SIGNATURES * sizeof *s.digest),
                         malloc(N_SIGNATURES * sizeof *s.signature)};
    bool has_memory = s.prepared && s.digest && s.signature;
    pr_status status = has_memory ? time_signatures(&s, err) : pr_fail(err, PR_ERR_MEMORY, "no memory");
    pr_secret_key_destroy(s.key);
    free(s.prepared);
    free(s.digest);
    free(s.signature);
    return status;
}
