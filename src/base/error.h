/* Errors of the environment (memory, file, MPI, bad input), with their place.
 *
 * A function that can fail returns pr_status and fills the caller's pr_error;
 * pr_error may be NULL when the caller only wants the status. A negative answer
 * (proof invalid) is not an error: it is PR_OK with an out value that says so.
 * PR_ASSERT is for programmers' errors alone and aborts.
 *
 *   pr_error err = {0};
 *   if (pr_thing_load(&thing, path, &err) != PR_OK) fprintf(stderr, "%s\n", err.text);
 */
#ifndef PR_BASE_ERROR_H
#define PR_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PR_MUST_CHECK __attribute__((warn_unused_result))

typedef enum pr_status {
    PR_OK = 0,
    PR_ERR_USAGE,     /* bad command line, manifest or case file: exit 2 */
    PR_ERR_INPUT,     /* a job's input is missing or unreadable */
    PR_ERR_REFUSED,   /* an AIR or statement that must not be proven */
    PR_ERR_MEMORY,    /* out of memory, found at planning time */
    PR_ERR_IO,        /* file system, HDF5: exit 74 */
    PR_ERR_MALFORMED, /* bytes from outside that do not decode */
    PR_ERR_BACKEND,   /* a backend failed or is not there */
    PR_ERR_MPI,
    PR_ERR_INTERRUPTED, /* exit 75 */
    PR_ERR_INTERNAL     /* exit 70 */
} pr_status;

typedef struct pr_error {
    pr_status status;
    char text[1024]; /* one line, with its place; always terminated */
} pr_error;

/* Fills err (may be NULL) and returns status, so that `return pr_fail(...)` reads well. */
pr_status pr_fail(pr_error *err, pr_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with a place in front: "file:line:column: text". line or column 0 is left out. */
pr_status pr_fail_at(pr_error *err, pr_status status, const char *file, size_t line, size_t column, const char *format,
                     ...) __attribute__((format(printf, 6, 7)));

/* Puts "context: " in front of the text that err already has; returns err's status, PR_ERR_INTERNAL if err is NULL. */
pr_status pr_fail_context(pr_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *pr_status_name(pr_status status);
int pr_status_exit_code(pr_status status); /* design.md's exit codes */

_Noreturn void pr_assert_failed(const char *expression, const char *file, int line);
#define PR_ASSERT(e) ((e) ? (void)0 : pr_assert_failed(#e, __FILE__, __LINE__))
#define PR_TRY(e)                                                                                                      \
    do {                                                                                                               \
        pr_status pr_try_status_ = (e);                                                                                \
        if (pr_try_status_ != PR_OK) return pr_try_status_;                                                            \
    } while (0)

#endif
