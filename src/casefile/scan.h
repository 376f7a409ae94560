/* First pass over the text of a case: what must be known before it becomes a tree of JSON values.
 *
 * - Where the inline trace lies. Its cells are parsed straight from the text (trace.c); a tree would cost forty bytes a
 *   cell.
 * - Integers that the tree cannot hold, 2^63 and above: allowed at three places, refused with their path elsewhere.
 *
 * The tree's parser then reads the text through pr_case_scan_feed, which puts a 0 in these places. The scan does not
 * check syntax, the parser behind it does: an array or a number is replaced by a number, so no malformed text becomes
 * well-formed. */
#ifndef PR_CASEFILE_SCAN_H
#define PR_CASEFILE_SCAN_H
#include "base/error.h"
#include <jansson.h>

#define PR_CASE_PATH_BYTES 384

/* A JSON path as text, "$.air.components[0]". Unprintable bytes become '?'; what does not fit is cut. */
typedef struct pr_case_path {
    char text[PR_CASE_PATH_BYTES];
    size_t size;
} pr_case_path;

void pr_case_path_init(pr_case_path *path);
void pr_case_path_key(pr_case_path *path, const char *key, size_t size);
void pr_case_path_index(pr_case_path *path, size_t index);

typedef struct pr_case_span {
    size_t begin, end; /* bytes of the text */
} pr_case_span;

typedef struct pr_case_scan {
    const char *text; /* borrowed */
    size_t size;
    bool has_trace;
    pr_case_span trace; /* from its '[' to behind its ']' */
    size_t n_hidden, capacity;
    pr_case_span *hidden; /* ascending: what the tree's parser does not see */
    json_t *big;          /* path -> digits of an integer of 2^63 and above */
    size_t fed, next;     /* state of pr_case_scan_feed */
} pr_case_scan;

/* file is for messages. PR_ERR_USAGE: an integer too large for its place. */
PR_MUST_CHECK pr_status pr_case_scan_init(pr_case_scan *scan, const char *text, size_t size, const char *file,
                                          pr_error *err);
void pr_case_scan_clear(pr_case_scan *scan);
/* json_load_callback's reader; context is the scan. */
size_t pr_case_scan_feed(void *buffer, size_t size, void *context);
/* The byte of the text behind the first `fed` bytes that the reader gave. */
size_t pr_case_scan_offset(const pr_case_scan *scan, size_t fed);
/* Digits of the large integer at this path, or NULL. */
const char *pr_case_scan_big(const pr_case_scan *scan, const char *path);
/* The path of the value that holds byte `offset` of the text. */
void pr_case_scan_path_at(pr_case_path *path, const char *text, size_t size, size_t offset);
/* Line and column, from 1, of a byte of the text. */
void pr_case_scan_position(size_t *line, size_t *column, const char *text, size_t offset);
#endif
