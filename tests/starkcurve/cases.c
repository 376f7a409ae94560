/* Random and extreme cases with what the code makes of them, for reference.py: starkcurve_cases [N]. The seed goes
 * first. */
#include "base/bytes.h"
#include "starkcurve/ecdsa.h"
#include "starkcurve/elgamal.h"
#include "support.h"
#include <stdio.h>
#include <string.h>

static const char *felt_text(pr_felt a) {
    static char text[4][67];
    static int at;
    at = (at + 1) % 4;
    pr_felt_to_hex(text[at], a);
    return text[at] + 2;
}

static void print_scalar(pr_scalar a) {
    uint8_t bytes[32];
    char text[65];
    pr_scalar_to_bytes(bytes, a);
    pr_hex_encode(text, bytes, 32);
    printf(" %s", text);
}

static void print_point(const pr_curve_point *p) {
    pr_affine a;
    if (pr_curve_point_to_affine(&a, p))
        printf(" %s,%s", felt_text(a.x), felt_text(a.y));
    else
        printf(" -");
}

static void felts(pr_prng *prng) {
    pr_felt a = test_felt(prng), b = test_felt(prng), root;
    char decimal[78];
    printf("felt_add %s %s %s\n", felt_text(a), felt_text(b), felt_text(pr_felt_add(a, b)));
    printf("felt_sub %s %s %s\n", felt_text(a), felt_text(b), felt_text(pr_felt_sub(a, b)));
    printf("felt_mul %s %s %s\n", felt_text(a), felt_text(b), felt_text(pr_felt_mul(a, b)));
    printf("felt_inverse %s %s\n", felt_text(a), felt_text(pr_felt_inverse(a)));
    printf("felt_inverse %s %s\n", felt_text(b), felt_text(pr_felt_inverse_public(b)));
    printf("felt_sqrt %s %s\n", felt_text(a), pr_felt_sqrt_public(&root, a) ? felt_text(root) : "-");
    pr_felt_to_decimal(decimal, a);
    printf("felt_decimal %s %s\n", felt_text(a), decimal);
}

static void print_scalars(const char *name, pr_scalar a, const pr_scalar *b, pr_scalar result) {
    printf("%s", name);
    print_scalar(a);
    if (b) print_scalar(*b);
    print_scalar(result);
    printf("\n");
}

static void scalars(pr_prng *prng) {
    pr_scalar a = test_scalar(prng), b = test_scalar(prng);
    uint8_t wide[64];
    char text[129];
    print_scalars("scalar_add", a, &b, pr_scalar_add(a, b));
    print_scalars("scalar_sub", a, &b, pr_scalar_sub(a, b));
    print_scalars("scalar_mul", a, &b, pr_scalar_mul(a, b));
    print_scalars("scalar_inverse", a, NULL, pr_scalar_inverse(a));
    print_scalars("scalar_inverse", b, NULL, pr_scalar_inverse_public(b));
    test_bytes(prng, wide, 64);
    pr_hex_encode(text, wide, 64);
    printf("scalar_wide %s", text);
    print_scalar(pr_scalar_from_wide_bytes(wide));
    printf("\n");
}

static void points(pr_prng *prng) {
    pr_scalar k = test_scalar(prng);
    pr_affine base = test_affine(prng);
    pr_curve_point start = pr_curve_point_from_affine(&base), product = pr_curve_point_mul(&base, k),
                   sum = pr_curve_point_add(&product, &start);
    printf("point_mul");
    print_scalar(k);
    print_point(&start);
    print_point(&product);
    printf("\npoint_add");
    print_point(&product);
    print_point(&start);
    print_point(&sum);
    printf("\n");
}

static void print_verification(const uint8_t public_key[32], const uint8_t digest[32], const uint8_t signature[64]) {
    char key[65], message[65], r[65], s[65];
    pr_hex_encode(key, public_key, 32);
    pr_hex_encode(message, digest, 32);
    pr_hex_encode(r, signature, 32);
    pr_hex_encode(s, signature + 32, 32);
    printf("verify %s %s %s %s %d\n", key, message, r, s, pr_ecdsa_verify(public_key, digest, signature));
}

static void signatures(pr_prng *prng) {
    uint8_t digest[32], bytes[32], signature[64];
    char message[65], text[129];
    pr_scalar secret = test_scalar(prng);
    pr_secret_key *key = NULL;
    if (pr_scalar_is_zero(secret)) secret = pr_scalar_from_u64(7);
    pr_scalar_to_bytes(bytes, secret);
    test_bytes(prng, digest, 32);
    if (pr_secret_key_from_bytes(&key, bytes, NULL) != PR_OK || pr_ecdsa_sign(signature, key, digest, NULL) != PR_OK)
        exit(1);
    pr_hex_encode(message, digest, 32);
    pr_hex_encode(text, signature, 64);
    printf("sign %s", message);
    print_scalar(secret);
    printf(" %.64s %s\n", text, text + 64);
    print_verification(key->public_key, digest, signature);
    signature[pr_prng_below(prng, 64)] ^= (uint8_t)(1u << pr_prng_below(prng, 8));
    print_verification(key->public_key, digest, signature);
    bytes[31] ^= 1; /* an x that may be on the curve or not */
    print_verification(bytes, digest, signature);
    pr_secret_key_destroy(key);
}

/* Both proofs of one count, and of one that claims another value. */
static void counts(pr_prng *prng) {
    pr_secret_key *key = NULL;
    pr_count count;
    pr_count_proof knowledge;
    pr_opening_proof opening;
    uint64_t value = pr_prng_below(prng, 1000), found;
    char public_key[65];
    if (pr_secret_key_generate(&key, NULL) != PR_OK ||
        pr_count_encrypt(&count, &knowledge, key->public_key, value, NULL) != PR_OK ||
        pr_count_decrypt(&found, &opening, &count, key, 1000, NULL) != PR_OK)
        exit(1);
    pr_hex_encode(public_key, key->public_key, 32);
    printf("count_knowledge %s", public_key);
    print_point(&count.c1);
    print_point(&count.c2);
    print_scalar(knowledge.challenge);
    print_scalar(knowledge.response_r);
    print_scalar(knowledge.response_m);
    printf(" 1\n");
    for (int wrong = 0; wrong < 2; wrong++) {
        uint64_t claimed = value + (uint64_t)wrong;
        printf("count_opening %s", public_key);
        print_point(&count.c1);
        print_point(&count.c2);
        print_scalar(pr_scalar_from_u64(claimed));
        print_scalar(opening.challenge);
        print_scalar(opening.response);
        printf(" %d\n", pr_opening_check(&count, claimed, &opening, key->public_key));
    }
    pr_secret_key_destroy(key);
}

static void second_generator(void) {
    pr_affine h = pr_curve_second_generator();
    pr_curve_point p = pr_curve_point_from_affine(&h);
    printf("second_generator");
    print_point(&p);
    printf("\n");
}

int main(int argc, char **argv) {
    pr_prng prng = test_seed();
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
    second_generator();
    for (long i = 0; i < n; i++) {
        felts(&prng);
        scalars(&prng);
        points(&prng);
        signatures(&prng);
        counts(&prng);
    }
    return 0;
}
