/* A place in a case's JSON: every reader refuses with the place's file, line, column and path.
 *
 * Cursors live on the C stack and point to their parent; position and path are made only when something is refused.
 *
 *   pr_case_cursor size = pr_case_member(&component, "log_size");
 *   PR_TRY(pr_case_u32(&size, PR_AIR_MAX_LOG_ROWS, &out->log_size));
 *
 *   pr_case_cursor element = pr_case_first(&list);
 *   for (uint32_t i = 0; i < n; i++, pr_case_step(&element)) ... */
#ifndef PR_CASEFILE_JSON_H
#define PR_CASEFILE_JSON_H
#include "casefile/tape.h"
#include "field/m31.h"

typedef struct pr_case_doc {
    const char *file;
    pr_error *err;
    const pr_case_tape *tape;
} pr_case_doc;

typedef struct pr_case_cursor {
    const pr_case_doc *doc;
    const struct pr_case_cursor *up; /* NULL: the root */
    const char *key;                 /* NULL: element `index` of up */
    size_t index;
    pr_case_value value; /* kind PR_CASE_ABSENT: not there */
    uint32_t entry;      /* on the tape, of a value that has one */
} pr_case_cursor;

pr_case_cursor pr_case_root(const pr_case_doc *doc);
pr_case_cursor pr_case_member(const pr_case_cursor *object, const char *key);
/* The only member of an object; its key is in the text, key_size bytes. */
pr_case_cursor pr_case_only_member(const pr_case_cursor *object, char *key, size_t key_size);
/* The first element of an array; pr_case_step goes on to the next. ABSENT where there is none. */
pr_case_cursor pr_case_first(const pr_case_cursor *array);
void pr_case_step(pr_case_cursor *element);
/* Walks from the first: for short arrays. */
pr_case_cursor pr_case_element(const pr_case_cursor *array, size_t index);
static inline bool pr_case_has(const pr_case_cursor *at) { return at->value.kind != PR_CASE_ABSENT; }
static inline bool pr_case_is(const pr_case_cursor *at, pr_case_kind kind) { return at->value.kind == kind; }

/* PR_ERR_USAGE, "file:line:column: path: ..." */
pr_status pr_case_refuse(const pr_case_cursor *at, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same: "must be EXPECTED, found ..." */
pr_status pr_case_refuse_kind(const pr_case_cursor *at, const char *expected);
/* Puts the place in front of the text that the document's error has already; returns its status. */
pr_status pr_case_blame(const pr_case_cursor *at);
pr_status pr_case_no_memory(const pr_case_doc *doc);

/* An object that has all of `required` and nothing beyond `required` and `optional` (both end with NULL). */
PR_MUST_CHECK pr_status pr_case_keys(const pr_case_cursor *at, const char *const *required,
                                     const char *const *optional);
/* A whole number of 0 .. max. */
PR_MUST_CHECK pr_status pr_case_u64(const pr_case_cursor *at, uint64_t max, uint64_t *out);
PR_MUST_CHECK pr_status pr_case_u32(const pr_case_cursor *at, uint32_t max, uint32_t *out);
/* A whole number of 32 bits with a sign. */
PR_MUST_CHECK pr_status pr_case_i32(const pr_case_cursor *at, int32_t *out);
/* A number below p. */
PR_MUST_CHECK pr_status pr_case_m31(const pr_case_cursor *at, pr_m31 *out);
/* A copy, escapes decoded; the caller frees it. */
PR_MUST_CHECK pr_status pr_case_text(const pr_case_cursor *at, char **out);
/* Whether it is this text, written without escapes. */
bool pr_case_text_is(const pr_case_cursor *at, const char *text);
/* Exactly 2 * n hex digits. */
PR_MUST_CHECK pr_status pr_case_hex(const pr_case_cursor *at, uint8_t *out, size_t n);
PR_MUST_CHECK pr_status pr_case_array(const pr_case_cursor *at, uint32_t *n);
/* An array of exactly n. */
PR_MUST_CHECK pr_status pr_case_array_of(const pr_case_cursor *at, uint32_t n);
/* An array of numbers of 0 .. max. The caller frees it; never NULL on success. */
PR_MUST_CHECK pr_status pr_case_words(const pr_case_cursor *at, uint32_t max, uint32_t **out, uint32_t *n);
/* The same into n words of the caller; the array has n elements. */
PR_MUST_CHECK pr_status pr_case_fill_words(const pr_case_cursor *at, uint32_t max, uint32_t *out, uint32_t n);
/* Compact text of any value, in the order it was written; the caller frees it. */
PR_MUST_CHECK pr_status pr_case_compact(const pr_case_cursor *at, char **out);
/* calloc that never asks for 0 bytes. */
void *pr_case_alloc(size_t n, size_t size);
#endif
