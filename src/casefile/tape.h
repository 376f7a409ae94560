/* A JSON text as a tape: one entry a value, parents before children, 16 bytes each; numbers and texts stay where they
 * are.
 *
 * An array of whole numbers without signs ("words") is a single entry, however long: cells of traces and values of
 * preprocessed columns cost nothing but their text, and a node of an expression four entries. One pass, no recursion on
 * lists, no allocation but the tape itself.
 *
 * Strict JSON (RFC 8259), UTF-8, no zero characters. Narrower than JSON in three things that no case needs: a key has
 * no escapes, an object has at most 64 members, values nest at most 64 deep. */
#ifndef PR_CASEFILE_TAPE_H
#define PR_CASEFILE_TAPE_H
#include "base/error.h"

#define PR_CASE_PATH_BYTES 384
#define PR_CASE_MAX_DEPTH 64
#define PR_CASE_BEGIN_MASK ((UINT64_C(1) << 56) - 1)
#define PR_CASE_MAX_MEMBERS 64

/* A JSON path as text, "$.air.components[0]". Unprintable bytes become '?'; what does not fit is cut. */
typedef struct pr_case_path {
    char text[PR_CASE_PATH_BYTES];
    size_t size;
} pr_case_path;

void pr_case_path_init(pr_case_path *path);
void pr_case_path_key(pr_case_path *path, const char *key, size_t size);
void pr_case_path_index(pr_case_path *path, size_t index);

typedef enum pr_case_kind {
    PR_CASE_ABSENT,
    PR_CASE_NULL,
    PR_CASE_FALSE,
    PR_CASE_TRUE,
    PR_CASE_NUMBER,
    PR_CASE_TEXT,
    PR_CASE_WORDS, /* an array of n >= 1 numbers of digits alone; they are not on the tape */
    PR_CASE_ARRAY, /* n entries follow, each with all that is inside it */
    PR_CASE_OBJECT /* n times: a PR_CASE_TEXT that is the key, then the value */
} pr_case_kind;

typedef struct pr_case_value {
    uint64_t begin : 56; /* its first byte in the text; the quote of a TEXT */
    uint64_t kind : 8;   /* pr_case_kind */
    uint32_t n;          /* elements, members */
    uint32_t next;       /* entry behind this value */
} pr_case_value;

typedef struct pr_case_tape {
    const char *text; /* borrowed; need not end with a zero byte */
    size_t size;
    pr_case_value *values; /* [0] is the root */
    size_t n, capacity;
} pr_case_tape;

/* PR_ERR_USAGE with line, column and path: no such JSON. file is for messages. */
PR_MUST_CHECK pr_status pr_case_tape_init(pr_case_tape *tape, const char *text, size_t size, const char *file,
                                          pr_error *err);
void pr_case_tape_clear(pr_case_tape *tape);

/* Bytes of the token (a number, or a text with its quotes) that begins here. */
size_t pr_case_token_size(const pr_case_tape *tape, size_t begin);
/* From the first byte of a word to that of the next one, or to the array's end. */
size_t pr_case_next_word(const pr_case_tape *tape, size_t begin);
/* A whole number of digits; false: it is above max. */
bool pr_case_parse_digits(const char *text, size_t n, uint64_t max, uint64_t *out);
/* From the array's '[' to its first word. */
size_t pr_case_first_word(const pr_case_tape *tape, size_t begin);
/* The byte behind a value. */
size_t pr_case_value_end(const pr_case_tape *tape, const pr_case_value *value);
/* Line and column, from 1, of a byte of the text. */
void pr_case_position(size_t *line, size_t *column, const char *text, size_t offset);
#endif
