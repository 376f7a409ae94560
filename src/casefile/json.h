/* A place in a case's tree of JSON values: every reader refuses with the place's path.
 *
 * Cursors live on the C stack and point to their parent; the path's text is made only when something is refused.
 *
 *   pr_case_cursor size = pr_case_member(&component, "log_size");
 *   PR_TRY(pr_case_u32(&size, PR_AIR_MAX_LOG_ROWS, &out->log_size)); */
#ifndef PR_CASEFILE_JSON_H
#define PR_CASEFILE_JSON_H
#include "casefile/scan.h"
#include "field/m31.h"

typedef struct pr_case_doc {
    const char *file;
    pr_error *err;
    const pr_case_scan *scan;
} pr_case_doc;

typedef struct pr_case_cursor {
    const pr_case_doc *doc;
    const struct pr_case_cursor *up; /* NULL: the root */
    const char *key;                 /* NULL: element `index` of up */
    size_t index;
    json_t *value; /* borrowed; NULL: not there */
} pr_case_cursor;

pr_case_cursor pr_case_member(const pr_case_cursor *object, const char *key);
pr_case_cursor pr_case_element(const pr_case_cursor *array, size_t index);
void pr_case_cursor_path(pr_case_path *path, const pr_case_cursor *at);

/* PR_ERR_USAGE, "file: path: ..." */
pr_status pr_case_refuse(const pr_case_cursor *at, const char *format, ...) __attribute__((format(printf, 2, 3)));
pr_status pr_case_no_memory(const pr_case_doc *doc);

/* An object that has all of `required` and nothing beyond `required` and `optional` (both end with NULL). */
PR_MUST_CHECK pr_status pr_case_keys(const pr_case_cursor *at, const char *const *required,
                                     const char *const *optional);
/* A whole number of 0 .. max. */
PR_MUST_CHECK pr_status pr_case_u64(const pr_case_cursor *at, uint64_t max, uint64_t *out);
PR_MUST_CHECK pr_status pr_case_u32(const pr_case_cursor *at, uint32_t max, uint32_t *out);
/* A number below p. */
PR_MUST_CHECK pr_status pr_case_m31(const pr_case_cursor *at, pr_m31 *out);
/* A copy; the caller frees it. */
PR_MUST_CHECK pr_status pr_case_text(const pr_case_cursor *at, char **out);
/* Exactly 2 * n hex digits. */
PR_MUST_CHECK pr_status pr_case_hex(const pr_case_cursor *at, uint8_t *out, size_t n);
PR_MUST_CHECK pr_status pr_case_array(const pr_case_cursor *at, uint32_t *n);
/* An array of exactly n. */
PR_MUST_CHECK pr_status pr_case_array_of(const pr_case_cursor *at, uint32_t n);
/* An array of numbers of 0 .. max. The caller frees it; never NULL on success. */
PR_MUST_CHECK pr_status pr_case_words(const pr_case_cursor *at, uint32_t max, uint32_t **out, uint32_t *n);
/* Compact text of any value, in the order it was written; the caller frees it. */
PR_MUST_CHECK pr_status pr_case_compact(const pr_case_cursor *at, char **out);
/* calloc that never asks for 0 bytes. */
void *pr_case_alloc(size_t n, size_t size);
#endif
