#include "manifest/manifest.h"
#include "manifest/internal.h"
#include "base/bytes.h"
#include "air/profile.h"
#include "job/job.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const top_keys[] = {"version", "name", "defaults", "jobs", NULL};
static const char *const default_keys[] = {"profile",  "priority",   "retries",    "after",
                                           "deadline", "time_limit", "encrypt_to", NULL};
static const char *const job_keys[] = {"id",    "type",     "params",     "profile",    "priority", "retries",
                                       "after", "deadline", "time_limit", "encrypt_to", NULL};
#define PR_DEFAULT_RETRIES 1

static const pr_yaml *require(pr_loader *l, const pr_yaml *map, const char *key, const char *where) {
    const pr_yaml *node = pr_yaml_get(map, key);
    if (!node) pr_loader_problem(l, map->line, map->column, "%s lacks the key `%s`", where, key);
    return node;
}

static const pr_job_type *read_type(pr_loader *l, const pr_yaml *node) {
    if (!pr_loader_expect(l, node, PR_YAML_SCALAR, "type")) return NULL;
    const pr_job_type *type = pr_job_type_find(l->types, node->text);
    if (type) return type;
    const char *names[128];
    size_t n = 0;
    for (; l->types[n] && n < 127; n++) names[n] = l->types[n]->name;
    names[n] = NULL;
    char shown[72], list[512], hint[96];
    pr_list_names(list, sizeof list, names);
    pr_loader_problem(l, node->line, node->column, "unknown job type `%s`%s; allowed: %s",
                      pr_yaml_show(shown, node->text), pr_loader_suggest(hint, node->text, names), list);
    return NULL;
}

static void read_job(pr_loader *l, const pr_yaml *job, const pr_common *defaults) {
    if (!pr_loader_expect(l, job, PR_YAML_MAP, "a job")) return;
    pr_common common = *defaults;
    bool good = pr_loader_keys(l, job, job_keys, "a job");
    const pr_yaml *id = require(l, job, "id", "the job"), *type_node = require(l, job, "type", "the job");
    bool named = id && pr_loader_name(l, id, "id", PR_MANIFEST_MAX_ID - 8);
    const pr_job_type *type = type_node ? read_type(l, type_node) : NULL;
    good &= pr_loader_common(l, &common, job);
    size_t first = l->m->n_jobs;
    if (!type) return;
    /* after a problem too, under some name: every mistake of the job is told at once */
    pr_sweep_expand(l, job, named ? id->text : "unnamed", type, &common, pr_yaml_get(job, "params"));
    if (good && named) pr_after_add_group(l, id->text, first, common.after);
}

static void read_jobs(pr_loader *l, const pr_yaml *jobs, const pr_common *defaults) {
    if (!pr_loader_expect(l, jobs, PR_YAML_LIST, "jobs")) return;
    if (jobs->n == 0) pr_loader_problem(l, jobs->line, jobs->column, "the list of jobs is empty");
    for (size_t i = 0; i < jobs->n && !l->out_of_memory; i++) read_job(l, jobs->items[i].value, defaults);
}

static void read_version(pr_loader *l, const pr_yaml *root) {
    int64_t version;
    const pr_yaml *node = require(l, root, "version", "the manifest");
    if (node) (void)pr_loader_integer(l, &version, node, "version", 1, 1);
}

static void read_name(pr_loader *l, const pr_yaml *root) {
    const pr_yaml *node = require(l, root, "name", "the manifest");
    if (!node || !pr_loader_name(l, node, "name", 64)) return;
    l->m->name = strdup(node->text);
    l->out_of_memory |= !l->m->name;
}

static void read_root(pr_loader *l, const pr_yaml *root) {
    if (!pr_loader_expect(l, root, PR_YAML_MAP, "the manifest")) return;
    pr_common defaults = {.profile = PR_DEFAULT_PROFILE, .retries = PR_DEFAULT_RETRIES};
    PR_ASSERT(pr_profile_config(&defaults.config, PR_DEFAULT_PROFILE, NULL) == PR_OK);
    (void)pr_loader_keys(l, root, top_keys, "the manifest");
    read_version(l, root);
    read_name(l, root);
    const pr_yaml *node = pr_yaml_get(root, "defaults");
    if (node && pr_loader_expect(l, node, PR_YAML_MAP, "defaults")) {
        (void)pr_loader_keys(l, node, default_keys, "defaults");
        (void)pr_loader_common(l, &defaults, node);
    }
    node = require(l, root, "jobs", "the manifest");
    if (node) read_jobs(l, node, &defaults);
}

static int compare_ids(const void *a, const void *b) {
    const pr_manifest_job *x = *(const pr_manifest_job *const *)a, *y = *(const pr_manifest_job *const *)b;
    int order = strcmp(x->id, y->id);
    return order ? order : (x > y) - (x < y);
}

/* Sorts pointers to the jobs by id, for pr_manifest_find, and tells ids that two jobs have. */
static void index_ids(pr_loader *l) {
    pr_manifest *m = l->m;
    m->by_id = malloc((m->n_jobs ? m->n_jobs : 1) * sizeof *m->by_id);
    if (!m->by_id) {
        l->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < m->n_jobs; i++) m->by_id[i] = &m->jobs[i];
    qsort(m->by_id, m->n_jobs, sizeof *m->by_id, compare_ids);
    for (size_t i = 1; i < m->n_jobs; i++) {
        const pr_manifest_job *first = m->by_id[i - 1], *second = m->by_id[i];
        if (strcmp(first->id, second->id) == 0)
            pr_loader_problem(l, second->line, second->column,
                              "id `%s` is already that of the job at line %zu; ids (with a sweep's numbers) are unique",
                              second->id, first->line);
    }
}

static char *copy_bytes(const char *data, size_t size) {
    char *copy = malloc(size + 1);
    if (!copy) return NULL;
    memcpy(copy, data, size);
    copy[size] = 0;
    return copy;
}

static pr_status finish(pr_loader *l) {
    if (l->out_of_memory) return pr_fail(l->err, PR_ERR_MEMORY, "%s: out of memory while reading it", l->file);
    if (l->n_problems > PR_MANIFEST_MAX_PROBLEMS && l->report)
        pr_write_format(l->report, "%s: and %zu more problems\n", l->file, l->n_problems - PR_MANIFEST_MAX_PROBLEMS);
    return l->n_problems ? PR_ERR_USAGE : PR_OK;
}

static pr_status parse(pr_loader *l, pr_manifest *m, const char *text, size_t size) {
    pr_yaml *root = NULL;
    pr_status status = pr_yaml_parse(&root, text, size, l->file, l->err);
    if (status != PR_OK) {
        if (l->report && l->err) pr_write_format(l->report, "%s\n", l->err->text);
        return status;
    }
    m->tree = root;
    m->digest = pr_blake2s_hash(text, size);
    read_root(l, root);
    if (!l->n_problems && !l->out_of_memory) index_ids(l);
    if (!l->n_problems && !l->out_of_memory) pr_after_resolve(l);
    return finish(l);
}

pr_status pr_manifest_parse(pr_manifest *out, const char *text, size_t size, const char *path, const char *base_dir,
                            const pr_job_type *const *types, pr_writer *report, pr_error *err) {
    pr_error own = {0};
    pr_loader l = {.m = out, .types = types, .file = path, .report = report, .err = err ? err : &own};
    memset(out, 0, sizeof *out);
    out->path = strdup(path);
    out->base_dir = strdup(base_dir);
    out->text = copy_bytes(text, size);
    out->text_size = size;
    l.out_of_memory = !out->path || !out->base_dir || !out->text;
    pr_status status = l.out_of_memory ? finish(&l) : parse(&l, out, text, size);
    free(l.group_after);
    if (status != PR_OK) pr_manifest_clear(out);
    return status;
}

/* The folder of path, absolute, so that ranks with another working directory read the same files. */
static pr_status find_base_dir(char out[PATH_MAX], const char *path, pr_error *err) {
    char real[PATH_MAX];
    if (!realpath(path, real)) return pr_fail(err, PR_ERR_USAGE, "%s: %s", path, strerror(errno));
    char *slash = strrchr(real, '/');
    slash[slash == real ? 1 : 0] = 0;
    memcpy(out, real, strlen(real) + 1);
    return PR_OK;
}

pr_status pr_manifest_load(pr_manifest *out, const char *path, const pr_job_type *const *types, pr_writer *report,
                           pr_error *err) {
    pr_error own = {0};
    if (!err) err = &own;
    uint8_t *text = NULL;
    size_t size = 0;
    char base_dir[PATH_MAX];
    pr_status status = find_base_dir(base_dir, path, err);
    /* an unreadable manifest is the user's error, not the disk's */
    if (status == PR_OK && pr_file_read(&text, &size, path, PR_YAML_MAX_BYTES, err) != PR_OK)
        status = pr_fail(err, PR_ERR_USAGE, "%s", err->text);
    if (status != PR_OK) {
        if (report) pr_write_format(report, "%s\n", err->text);
        return status;
    }
    status = pr_manifest_parse(out, (const char *)text, size, path, base_dir, types, report, err);
    free(text);
    return status;
}

void pr_manifest_clear(pr_manifest *m) {
    for (size_t i = 0; i < m->n_jobs; i++) {
        free(m->jobs[i].id);
        free((void *)m->jobs[i].params.items);
    }
    for (size_t i = 0; i < m->n_groups; i++) free(m->groups[i].after);
    free(m->groups);
    free(m->jobs);
    free(m->by_id);
    free(m->name);
    free(m->path);
    free(m->base_dir);
    free(m->text);
    pr_yaml_destroy(m->tree);
    memset(m, 0, sizeof *m);
}

const pr_manifest_job *pr_manifest_find(const pr_manifest *m, const char *id) {
    size_t low = 0, high = m->n_jobs;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(id, m->by_id[middle]->id);
        if (order == 0) return m->by_id[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
