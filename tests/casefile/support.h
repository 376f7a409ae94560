/* What the tests of case files share: the golden cases and texts made from them. */
#ifndef PR_TESTS_CASEFILE_SUPPORT_H
#define PR_TESTS_CASEFILE_SUPPORT_H
#include "casefile/casefile.h"
#include <jansson.h>

/* Path of a golden case by name ("cube_l5", "random/random_01"); valid until the next call. */
const char *golden_path(const char *name);
/* Calls visit for every golden case; returns how many there are. */
size_t golden_each(void (*visit)(const char *path));
/* Its tree; NULL when it cannot be read. The caller decrefs it. */
json_t *golden_tree(const char *name);
/* Compact text of a tree; the caller frees it. */
char *compact(const json_t *tree);
pr_status parse_text(pr_case *out, const char *text, pr_error *err);
#endif
