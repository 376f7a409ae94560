/* Records, runs and comparisons that several tests of this folder use. */
#ifndef PR_TESTS_STORE_SAMPLE_H
#define PR_TESTS_STORE_SAMPLE_H
#include "store/store.h"
#include <stddef.h>

/* A folder for a group of tests, below the working one; sample_path gives names in it. For cmocka_run_group_tests. */
int sample_make_folder(void **state);
int sample_remove_folder(void **state);
const char *sample_folder(void);
void sample_path(char out[128], const char *name);

/* A new run; what was there under this name is removed. */
pr_store *sample_create(const char *path, const char *run_id, const char *manifest_digest);

/* All parts filled from seed; no proof unless the outcome has one. pr_record_clear frees it. */
void sample_record(pr_record *r, const char *id, uint32_t outcome, size_t proof_bytes, uint64_t seed);
void sample_put(pr_store *s, const char *id, uint32_t outcome, size_t proof_bytes, uint64_t seed);
/* Removes a results file, its journal's segments, and what repairs leave. */
void sample_remove(const char *path);
void sample_copy(const char *to, const char *from);
/* Every object, type, value and attribute of one file is the other's. */
void sample_assert_same(const char *a, const char *b);
#endif
