#ifndef TEST_BLAKE2S_LANES_H
#define TEST_BLAKE2S_LANES_H
#include "hash/blake2s.h"

/* out and messages hold test_hash_lanes_width_... entries (.._abreast_width_..); all messages have the same length. */
typedef void test_hash_lanes_fn(pr_hash *out, const uint8_t *const *messages, size_t length);
test_hash_lanes_fn test_hash_lanes_scalar, test_hash_lanes_avx2, test_hash_lanes_avx512;
extern const unsigned test_hash_lanes_width_scalar, test_hash_lanes_width_avx2, test_hash_lanes_width_avx512;
test_hash_lanes_fn test_hash_abreast_scalar, test_hash_abreast_avx2, test_hash_abreast_avx512;
extern const unsigned test_hash_abreast_width_scalar, test_hash_abreast_width_avx2, test_hash_abreast_width_avx512;

void test_lanes(void **state); /* cmocka test */
#endif
