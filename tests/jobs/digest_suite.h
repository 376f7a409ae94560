/* The tests that every job type of gadgets/file_digest.h passes. */
#ifndef PR_TESTS_JOBS_DIGEST_SUITE_H
#define PR_TESTS_JOBS_DIGEST_SUITE_H
#include "air/job_type.h"

typedef struct digest_suite {
    const pr_job_type *type;
    const char *command; /* prints the digest of the file that is appended, then anything */
    void (*digest_of)(uint8_t out[32], const void *data, size_t size); /* NULL: the command is asked */
    struct {
        const char *text, *digest;
    } known[2];
    size_t sizes[16], n_sizes; /* of random files */
    uint32_t n_components;     /* of the AIR of a file of 229 bytes */
    uint64_t max_length;
} digest_suite;

int digest_suite_run(const digest_suite *suite);
#endif
