/* Every parser of this module on damaged input: it refuses or accepts, and what it accepts is in range. PROVERUN_SEED
 * replays. */
#include "base/bytes.h"
#include "starkcurve/ecdsa.h"
#include "starkcurve/elgamal.h"
#include "starkcurve/key_file.h"
#include "support.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { ROUNDS = 3000 };

/* Changes, drops or repeats some bytes; at most 2 * n of room. */
static size_t damage(pr_prng *prng, uint8_t *data, size_t n) {
    for (uint32_t k = pr_prng_below(prng, 4); k < 4 && n > 0; k++) {
        size_t at = pr_prng_below(prng, (uint32_t)n), left = n - at;
        switch (pr_prng_below(prng, 4)) {
        case 0:
            data[at] ^= (uint8_t)(1u << pr_prng_below(prng, 8));
            break;
        case 1:
            data[at] = (uint8_t)pr_prng_next(prng);
            break;
        case 2:
            memmove(data + at, data + at + 1, left - 1);
            n--;
            break;
        default:
            n = pr_prng_below(prng, 8) ? n : at;
        }
    }
    return n;
}

static void test_text(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    for (int i = 0; i < ROUNDS; i++) {
        pr_felt a = test_felt(&prng), b, c;
        char text[2][160], back[80];
        pr_felt_to_hex(text[0], a);
        pr_felt_to_decimal(text[1], a);
        for (int kind = 0; kind < 2; kind++) {
            size_t n = damage(&prng, (uint8_t *)text[kind], strlen(text[kind]));
            text[kind][n] = 0;
            if (!(kind ? pr_felt_from_decimal(&b, text[kind]) : pr_felt_from_hex(&b, text[kind]))) continue;
            assert_true(pr_u256_less_mask(&b.mont, &PR_FIELD_MODULUS.m));
            pr_felt_to_hex(back, b);
            assert_true(pr_felt_from_hex(&c, back) && pr_felt_equal(b, c));
        }
    }
}

static void test_points_and_signatures(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    pr_secret_key *key = NULL;
    uint8_t digest[32], signature[64], changed[64], point[64];
    assert_int_equal(pr_secret_key_generate(&key, NULL), PR_OK);
    test_bytes(&prng, digest, 32);
    assert_int_equal(pr_ecdsa_sign(signature, key, digest, NULL), PR_OK);
    for (int i = 0; i < ROUNDS / 10; i++) {
        pr_affine a = test_affine(&prng), b;
        pr_affine_to_bytes(point, &a);
        memcpy(changed, point, 64);
        damage(&prng, changed, 64);
        if (pr_affine_from_bytes(&b, changed)) assert_true(pr_affine_is_on_curve(&b));
        memcpy(changed, signature, 64);
        damage(&prng, changed, 64);
        assert_int_equal(pr_ecdsa_verify(key->public_key, digest, changed), memcmp(changed, signature, 64) == 0);
        test_bytes(&prng, changed, 64);
        assert_false(pr_ecdsa_verify(changed, digest, signature));
    }
    pr_secret_key_destroy(key);
}

static void test_sealed(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    pr_secret_key *key = NULL;
    pr_writer sealed, out;
    uint8_t changed[512];
    pr_writer_init(&sealed);
    pr_writer_init(&out);
    assert_int_equal(pr_secret_key_generate(&key, NULL), PR_OK);
    assert_int_equal(pr_elgamal_seal(&sealed, key->public_key, "some bytes", 10, NULL, 0, NULL), PR_OK);
    for (int i = 0; i < ROUNDS / 10; i++) {
        memcpy(changed, sealed.data, sealed.size);
        size_t n = damage(&prng, changed, sealed.size);
        bool same = n == sealed.size && memcmp(changed, sealed.data, n) == 0;
        assert_int_equal(pr_elgamal_open(&out, key, changed, n, NULL, 0, NULL) == PR_OK, same);
    }
    pr_writer_clear(&sealed);
    pr_writer_clear(&out);
    pr_secret_key_destroy(key);
}

static void test_key_files(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    char folder[] = "/tmp/proverun-fuzz-XXXXXX", path[64];
    pr_secret_key *key = NULL;
    uint8_t *data, changed[1024], public_key[32];
    size_t size;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/key", folder);
    assert_int_equal(pr_secret_key_generate(&key, NULL), PR_OK);
    assert_int_equal(pr_key_file_create(path, key, NULL, NULL), PR_OK);
    assert_int_equal(pr_file_read(&data, &size, path, sizeof changed / 2, NULL), PR_OK);
    for (int i = 0; i < ROUNDS / 10; i++) {
        pr_secret_key *other = NULL;
        memcpy(changed, data, size);
        size_t n = damage(&prng, changed, size);
        bool same = n == size && memcmp(changed, data, n) == 0;
        assert_int_equal(pr_file_write_atomic(path, changed, n, 0600, NULL), PR_OK);
        bool opened = pr_key_file_open(&other, path, NULL, NULL) == PR_OK;
        /* a digit may have become its capital */
        if (opened && !same) assert_memory_equal(other, key, sizeof *key);
        assert_true(opened || !same);
        (void)!pr_public_key_read(public_key, path, NULL);
        pr_secret_key_destroy(other);
    }
    free(data);
    unlink(path);
    rmdir(folder);
    pr_secret_key_destroy(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_points_and_signatures),
                                       cmocka_unit_test(test_sealed), cmocka_unit_test(test_key_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
