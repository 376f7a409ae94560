/* Where a value that comes from a secret becomes public on purpose. Nothing happens, except in the test that runs this
 * module under valgrind with secrets marked undefined (tests/starkcurve/constant_time.c). */
#ifndef PR_STARKCURVE_DECLASSIFY_H
#define PR_STARKCURVE_DECLASSIFY_H
#include <stddef.h>
#ifdef PR_STARKCURVE_CHECK_TIME
#include <valgrind/memcheck.h>
static inline void pr_declassify(const void *data, size_t n) { (void)VALGRIND_MAKE_MEM_DEFINED(data, n); }
#else
static inline void pr_declassify(const void *data, size_t n) {
    (void)data;
    (void)n;
}
#endif
#endif
