/* Records, runs and comparisons that several tests of this folder use. */
#ifndef PR_TESTS_STORE_SAMPLE_H
#define PR_TESTS_STORE_SAMPLE_H
#include "store/store.h"
#include <stddef.h>

/* All parts filled from seed; no proof unless the outcome has one. pr_record_clear frees it. */
void sample_record(pr_record *r, const char *id, uint32_t outcome, size_t proof_bytes, uint64_t seed);
void sample_put(pr_store *s, const char *id, uint32_t outcome, size_t proof_bytes, uint64_t seed);
/* Removes a results file, its journal's segments, and what repairs leave. */
void sample_remove(const char *path);
void sample_copy(const char *to, const char *from);
/* Every object, type, value and attribute of one file is the other's. */
void sample_assert_same(const char *a, const char *b);
#endif
