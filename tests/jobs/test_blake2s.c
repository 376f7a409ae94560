#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "blake2s/job.h"
#include "digest_suite.h"
#include "hash/blake2s.h"

static void digest_of(uint8_t out[32], const void *data, size_t size) {
    pr_hash h = pr_blake2s_hash(data, size);
    memcpy(out, h.bytes, 32);
}

/* 64 bytes are one block, 1,024 sixteen: exactly full; 1,025 one more. */
static const digest_suite suite = {
    .type = &pr_job_blake2s,
    .command = "openssl dgst -r -blake2s256",
    .digest_of = digest_of,
    .known = {{"", "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9"},
              {"abc", "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"}},
    .sizes = {0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 255, 1023, 1024, 1025},
    .n_sizes = 14,
    .n_components = 4, /* of a file of 4 blocks */
    .max_length = 67108864,
};

int main(void) { return digest_suite_run(&suite); }
