/* A YAML document as a small tree with places, from libyaml's events.
 *
 * Stricter than YAML on purpose: one document, no anchors, aliases or tags, no key twice in a map, keys are plain
 * text, eight levels at most, a size cap. What it lets through is the subset in which nobody is surprised. */
#ifndef PR_MANIFEST_YAML_TREE_H
#define PR_MANIFEST_YAML_TREE_H
#include "base/error.h"

#define PR_YAML_MAX_BYTES ((size_t)16 << 20)
#define PR_YAML_MAX_DEPTH 8

typedef enum pr_yaml_kind { PR_YAML_SCALAR, PR_YAML_LIST, PR_YAML_MAP } pr_yaml_kind;

typedef struct pr_yaml pr_yaml;
typedef struct pr_yaml_item {
    pr_yaml *key; /* NULL in a list */
    pr_yaml *value;
} pr_yaml_item;

struct pr_yaml {
    pr_yaml_kind kind;
    size_t line, column; /* from 1 */
    char *text;          /* SCALAR: no 0 byte inside */
    bool plain;          /* SCALAR without quotes */
    size_t n;            /* LIST, MAP */
    pr_yaml_item *items;
};

/* file is only for messages. PR_ERR_USAGE with file:line:column. */
PR_MUST_CHECK pr_status pr_yaml_parse(pr_yaml **out, const char *text, size_t size, const char *file, pr_error *err);
void pr_yaml_destroy(pr_yaml *node);                       /* NULL allowed */
pr_yaml *pr_yaml_get(const pr_yaml *map, const char *key); /* NULL when absent */
const char *pr_yaml_kind_name(pr_yaml_kind kind);          /* "a list", ... */
/* PR_ERR_USAGE with file:line:column unless the node is of that kind. */
PR_MUST_CHECK pr_status pr_yaml_expect(const pr_yaml *node, pr_yaml_kind kind, const char *what, const char *file,
                                       pr_error *err);
/* Text from outside for a message: cut at 60 bytes, control characters replaced. */
const char *pr_yaml_show(char out[72], const char *text);
#endif
