/* What the files of this module share: a loader that collects problems, and checks of single values. */
#ifndef PR_MANIFEST_INTERNAL_H
#define PR_MANIFEST_INTERNAL_H
#include "manifest/manifest.h"
#include "manifest/yaml_tree.h"

/* Keys that every job may have and that may stand in defaults. */
typedef struct pr_common {
    const char *profile;
    pr_config config;
    int32_t priority;
    uint32_t retries;
    uint64_t time_limit_ns, deadline_ns, deadline_wall_ns;
    const char *encrypt_to; /* NULL: none */
    const pr_yaml *after;   /* NULL: none */
} pr_common;

typedef struct pr_loader {
    pr_manifest *m;
    size_t capacity;             /* of m->jobs */
    const pr_yaml **group_after; /* [m->n_groups] as written; NULL: none */
    size_t group_capacity;
    const pr_job_type *const *types;
    const char *file;
    pr_writer *report; /* may be NULL */
    pr_error *err;     /* the first problem */
    size_t n_problems;
    bool out_of_memory;
} pr_loader;

/* One problem at a place; the first one becomes the loader's error. */
void pr_loader_problem(pr_loader *l, size_t line, size_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Each is false after telling the problem. */
bool pr_loader_expect(pr_loader *l, const pr_yaml *node, pr_yaml_kind kind, const char *what);
bool pr_loader_keys(pr_loader *l, const pr_yaml *map, const char *const *allowed, const char *where);
bool pr_loader_integer(pr_loader *l, int64_t *out, const pr_yaml *node, const char *what, int64_t min, int64_t max);
bool pr_loader_name(pr_loader *l, const pr_yaml *node, const char *what, size_t max_bytes);
bool pr_loader_common(pr_loader *l, pr_common *common, const pr_yaml *map);
/* "; did you mean `x`?" when one of the names is near, else "". names: NULL-terminated. */
const char *pr_loader_suggest(char out[96], const char *text, const char *const *names);

/* A whole file's text through a parser that fills out; file: its path, for messages. */
typedef pr_status pr_text_parser(void *out, const char *text, size_t size, const char *file, pr_error *err);
PR_MUST_CHECK pr_status pr_text_load(void *out, pr_text_parser *parse, const char *path, size_t max_bytes,
                                     pr_error *err);

/* Appends the job, or every job of its sweep, to the manifest. params may be NULL. */
void pr_sweep_expand(pr_loader *l, const pr_yaml *job, const char *id, const pr_job_type *type, const pr_common *common,
                     const pr_yaml *params);
/* Jobs from `first` to the last one appended are what is written as `id`. */
void pr_after_add_group(pr_loader *l, const char *id, size_t first, const pr_yaml *after);
/* Ids to jobs, once all jobs are there and indexed: unknown ids and cycles are problems. */
void pr_after_resolve(pr_loader *l);
#endif
