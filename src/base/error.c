#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Appends to text at its length; what does not fit is cut. */
static void append(char *text, size_t size, const char *format, va_list args) {
    size_t at = strlen(text);
    if (at + 1 < size) vsnprintf(text + at, size - at, format, args);
}

__attribute__((format(printf, 3, 4))) static void append_f(char *text, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    append(text, size, format, args);
    va_end(args);
}

/* An error is one line: texts from outside (YAML, MPI, HDF5) may bring line breaks. */
static void one_line(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ') *text = ' ';
}

/* Formatted aside first: the arguments may point into err->text itself. */
static void set(pr_error *err, pr_status status, const char *place, const char *format, va_list args) {
    char text[sizeof err->text] = "";
    append_f(text, sizeof text, "%s", place);
    append(text, sizeof text, format, args);
    one_line(text);
    memcpy(err->text, text, sizeof text);
    err->status = status;
}

pr_status pr_fail(pr_error *err, pr_status status, const char *format, ...) {
    if (!err) return status;
    va_list args;
    va_start(args, format);
    set(err, status, "", format, args);
    va_end(args);
    return status;
}

pr_status pr_fail_at(pr_error *err, pr_status status, const char *file, size_t line, size_t column, const char *format,
                     ...) {
    if (!err) return status;
    char place[sizeof err->text] = "";
    append_f(place, sizeof place, "%s:", file);
    if (line) append_f(place, sizeof place, "%zu:", line);
    if (line && column) append_f(place, sizeof place, "%zu:", column);
    append_f(place, sizeof place, " ");
    va_list args;
    va_start(args, format);
    set(err, status, place, format, args);
    va_end(args);
    return status;
}

pr_status pr_fail_context(pr_error *err, const char *format, ...) {
    if (!err) return PR_ERR_INTERNAL;
    char text[sizeof err->text] = "";
    va_list args;
    va_start(args, format);
    append(text, sizeof text, format, args);
    va_end(args);
    append_f(text, sizeof text, ": %s", err->text);
    one_line(text);
    memcpy(err->text, text, sizeof text);
    return err->status;
}

const char *pr_status_name(pr_status status) {
    switch (status) {
    case PR_OK:
        return "ok";
    case PR_ERR_USAGE:
        return "usage";
    case PR_ERR_INPUT:
        return "input";
    case PR_ERR_REFUSED:
        return "refused";
    case PR_ERR_MEMORY:
        return "memory";
    case PR_ERR_IO:
        return "io";
    case PR_ERR_MALFORMED:
        return "malformed";
    case PR_ERR_BACKEND:
        return "backend";
    case PR_ERR_MPI:
        return "mpi";
    case PR_ERR_INTERRUPTED:
        return "interrupted";
    case PR_ERR_INTERNAL:
        return "internal";
    }
    return "unknown";
}

int pr_status_exit_code(pr_status status) {
    switch (status) {
    case PR_OK:
        return 0;
    case PR_ERR_INPUT:
    case PR_ERR_REFUSED:
    case PR_ERR_MALFORMED:
        return 1;
    case PR_ERR_USAGE:
        return 2;
    case PR_ERR_IO:
        return 74;
    case PR_ERR_INTERRUPTED:
        return 75;
    case PR_ERR_MEMORY:
    case PR_ERR_BACKEND:
    case PR_ERR_MPI:
    case PR_ERR_INTERNAL:
        break;
    }
    return 70;
}

_Noreturn void pr_assert_failed(const char *expression, const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
    abort();
}
