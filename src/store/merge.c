/* One results file from several. */
#include "base/clock.h"
#include "store/step.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PR_MAX_MANIFESTS 10000u

typedef struct choice { /* the row that stands for an id */
    const pr_job_row *row;
    size_t input;
} choice;

typedef struct merging {
    pr_product out;
    const char *const *paths;
    pr_results **inputs;
    size_t n_inputs;
    choice *choices; /* by first appearance */
    size_t n_choices, room, n_conflicts;
    size_t *slots, n_slots; /* open addressing: index into choices + 1 */
    char (*digests)[65];    /* of the manifests that the output has */
    size_t n_digests;
    pr_writer *told;
} merging;

static pr_status no_memory(const merging *m, pr_error *err) {
    return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory for a merge", m->out.path);
}

/* A line for the user and an event in the file. */
__attribute__((format(printf, 3, 4))) static pr_status tell(merging *m, const char *id, const char *format, ...) {
    char line[1400];
    va_list args;
    pr_event_row row = {.kind = PR_EVENT_MERGE, .rank = -1, .time_ns = pr_clock_wall_ns()};
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    pr_write_format(m->told, "%s\n", line);
    pr_row_set_text(row.id, sizeof row.id, id);
    pr_row_set_text(row.text, sizeof row.text, line);
    pr_clock_iso8601(row.time_at, row.time_ns);
    return pr_product_row(&m->out, PR_TABLE_EVENTS, &row, NULL);
}

/* ---- which row stands for an id ---- */

static size_t *slot_of(merging *m, const char *id) {
    uint64_t h = 14695981039346656037u;
    for (const char *c = id; *c; c++) h = (h ^ (unsigned char)*c) * 1099511628211u;
    size_t i = (size_t)h & (m->n_slots - 1);
    while (m->slots[i] && strcmp(m->choices[m->slots[i] - 1].row->id, id) != 0) i = (i + 1) & (m->n_slots - 1);
    return &m->slots[i];
}

static pr_status make_room(merging *m, pr_error *err) {
    size_t n = 0, slots = 64;
    for (size_t k = 0; k < m->n_inputs; k++) n += pr_results_n_jobs(m->inputs[k]);
    while (slots < 2 * n + 2) slots *= 2;
    m->choices = calloc(n ? n : 1, sizeof *m->choices);
    m->slots = calloc(slots, sizeof *m->slots);
    m->n_slots = slots;
    return m->choices && m->slots ? PR_OK : no_memory(m, err);
}

static pr_status conflict(merging *m, const choice *c, size_t input, const char *what) {
    m->n_conflicts++;
    return tell(m, c->row->id, "conflict: job `%s` of %s has %s than that of %s, which is kept", c->row->id,
                m->paths[input], what, m->paths[c->input]);
}

static pr_status weigh(merging *m, choice *c, const pr_job_row *row, size_t input) {
    bool was = pr_outcome_is_done(c->row->outcome), is = pr_outcome_is_done(row->outcome);
    if (strcmp(c->row->content_hash, row->content_hash) != 0) return conflict(m, c, input, "other content");
    if (was && is && strcmp(c->row->proof_hash, row->proof_hash) != 0) return conflict(m, c, input, "another proof");
    if (is && !was) *c = (choice){row, input};
    return PR_OK;
}

static pr_status choose(merging *m, pr_error *err) {
    PR_TRY(make_room(m, err));
    for (size_t k = 0; k < m->n_inputs; k++)
        for (size_t i = 0; i < pr_results_n_jobs(m->inputs[k]); i++) {
            const pr_job_row *row = pr_results_job(m->inputs[k], i);
            size_t *slot = slot_of(m, row->id);
            pr_status status = PR_OK;
            if (*slot) {
                status = weigh(m, &m->choices[*slot - 1], row, k);
            } else {
                m->choices[m->n_choices++] = (choice){row, k};
                *slot = m->n_choices;
            }
            if (status != PR_OK) return no_memory(m, err);
        }
    return PR_OK;
}

/* ---- provenance ---- */

/* "manifest_text" for 0, "manifest_text.3" for 3 */
static const char *numbered(char out[64], const char *name, size_t k) {
    if (k)
        snprintf(out, 64, "%s.%zu", name, k);
    else
        snprintf(out, 64, "%s", name);
    return out;
}

static pr_status add_manifest(merging *m, size_t *out, const pr_results *r, const char *digest, size_t k,
                              pr_error *err) {
    char name[64];
    const char *text = pr_results_attribute(r, numbered(name, "manifest_text", k));
    for (*out = 0; *out < m->n_digests; ++*out)
        if (!strcmp(m->digests[*out], digest)) return PR_OK;
    if (!text || strlen(digest) != 64 || m->n_digests == PR_MAX_MANIFESTS)
        return pr_fail(err, PR_ERR_MALFORMED, "%s: a manifest is not readable", m->out.path);
    char(*grown)[65] = realloc(m->digests, (m->n_digests + 1) * sizeof *grown);
    if (!grown) return no_memory(m, err);
    m->digests = grown;
    snprintf(grown[m->n_digests++], 65, "%s", digest);
    PR_TRY(pr_product_attribute(&m->out, numbered(name, "manifest_text", *out), text, err));
    return pr_product_attribute(&m->out, numbered(name, "manifest_digest", *out), digest, err);
}

/* Where the input's manifests are in the output. Caller frees *out. */
static pr_status map_manifests(merging *m, size_t **out, size_t *n, size_t input, pr_error *err) {
    const pr_results *r = m->inputs[input];
    char name[64];
    const char *digest;
    *out = calloc(PR_MAX_MANIFESTS, sizeof **out);
    *n = 0;
    if (!*out) return no_memory(m, err);
    while (*n < PR_MAX_MANIFESTS && (digest = pr_results_attribute(r, numbered(name, "manifest_digest", *n)))) {
        PR_TRY(add_manifest(m, &(*out)[*n], r, digest, *n, err));
        ++*n;
    }
    return *n ? PR_OK : pr_fail(err, PR_ERR_MALFORMED, "%s: holds no manifest", m->paths[input]);
}

/* The first input's attributes stay what they are; all are kept as input.K.NAME. */
static pr_status copy_attributes(merging *m, size_t input, pr_error *err) {
    static const char *const own[] = {"format", "format_version", "file_time", "file_update_time"};
    const pr_results *r = m->inputs[input];
    for (size_t i = 0; i < pr_results_n_attributes(r); i++) {
        const char *name, *value;
        char full[256];
        bool is_own = false;
        pr_results_attribute_at(r, i, &name, &value);
        for (size_t k = 0; k < sizeof own / sizeof own[0]; k++) is_own |= !strcmp(name, own[k]);
        if (!strncmp(name, "manifest_text", 13) || !strncmp(name, "manifest_digest", 15)) continue;
        snprintf(full, sizeof full, "input.%zu.%s", input + 1, name);
        if (strncmp(name, "input.", 6) != 0 || input > 0) PR_TRY(pr_product_attribute(&m->out, full, value, err));
        if (input == 0 && !is_own) PR_TRY(pr_product_attribute(&m->out, name, value, err));
    }
    return PR_OK;
}

/* Series of one name come from every input: a label says from which. Of one that was merged before: "2.1". */
static void name_series(char *out, size_t size, const char *series, size_t input) {
    const char *known = strstr(series, "input=\""), *end = strrchr(series, '}');
    size_t n = known ? (size_t)(known - series) + strlen("input=\"") : end ? (size_t)(end - series) : strlen(series);
    const char *format = known ? "%.*s%zu.%s" : end ? "%.*s,input=\"%zu\"%s" : "%.*s{input=\"%zu\"}%s";
    if (snprintf(out, size, format, (int)n, series, input + 1, series + n) >= (int)size)
        pr_row_set_text(out, size, series); /* no room: as it was */
}

static pr_status copy_samples(merging *m, size_t input, pr_error *err) {
    const pr_results *r = m->inputs[input];
    for (size_t i = 0; i < pr_results_n_samples(r); i++) {
        pr_sample_row row = *pr_results_sample(r, i);
        name_series(row.id, sizeof row.id, pr_results_sample(r, i)->id, input);
        PR_TRY(pr_product_row(&m->out, PR_TABLE_METRICS, &row, err));
    }
    return PR_OK;
}

static pr_status copy_tables(merging *m, size_t input, pr_error *err) {
    const pr_results *r = m->inputs[input];
    for (size_t i = 0; i < pr_results_n_sessions(r); i++)
        PR_TRY(pr_product_begin_session(&m->out, pr_results_session(r, i), err));
    for (size_t i = 0; i < pr_results_n_events(r); i++)
        PR_TRY(pr_product_row(&m->out, PR_TABLE_EVENTS, pr_results_event(r, i), err));
    return copy_samples(m, input, err);
}

/* ---- jobs ---- */

static pr_status copy_job(merging *m, const choice *c, const size_t *manifests, size_t n_manifests, uint32_t sessions,
                          pr_error *err) {
    pr_record record;
    if (c->row->manifest >= n_manifests)
        return pr_fail(err, PR_ERR_MALFORMED, "%s: job `%s` is of a manifest that is not there", m->paths[c->input],
                       c->row->id);
    PR_TRY(pr_results_load(m->inputs[c->input], c->row, &record, err));
    record.row.manifest = (uint32_t)manifests[c->row->manifest];
    record.row.session += sessions;
    /* Certificates stay behind, and nothing may say `approved` without one. */
    if (record.row.outcome == PR_OUTCOME_APPROVED) record.row.outcome = PR_OUTCOME_MERGED;
    pr_status status = pr_product_put(&m->out, &record, err);
    pr_record_clear(&record);
    if (status == PR_OK && pr_product_pending(&m->out) > PR_PENDING_MAX)
        status = pr_product_flush(&m->out, PR_FLUSH_NOW, err);
    return status;
}

static pr_status copy_input(merging *m, size_t input, pr_error *err) {
    size_t *manifests = NULL, n_manifests;
    uint32_t sessions = (uint32_t)(m->out.tables[PR_TABLE_SESSIONS].written + m->out.tables[PR_TABLE_SESSIONS].n);
    pr_status status = map_manifests(m, &manifests, &n_manifests, input, err);
    if (status == PR_OK) status = copy_attributes(m, input, err);
    if (status == PR_OK) status = copy_tables(m, input, err);
    for (size_t i = 0; i < m->n_choices && status == PR_OK; i++)
        if (m->choices[i].input == input) status = copy_job(m, &m->choices[i], manifests, n_manifests, sessions, err);
    free(manifests);
    return status;
}

static pr_status write_output(merging *m, pr_error *err) {
    pr_product_touch(&m->out, pr_clock_wall_ns());
    PR_TRY(pr_product_create_file(&m->out, false, err));
    PR_TRY(choose(m, err));
    for (size_t k = 0; k < m->n_inputs; k++) {
        PR_TRY(copy_input(m, k, err));
        if (tell(m, "", "merged %s: %zu jobs", m->paths[k], pr_results_n_jobs(m->inputs[k])) != PR_OK)
            return no_memory(m, err);
    }
    pr_product_touch(&m->out, pr_clock_wall_ns());
    PR_TRY(pr_product_flush(&m->out, PR_FLUSH_NOW, err));
    return pr_product_sync(&m->out, err);
}

static pr_status open_inputs(merging *m, pr_error *err) {
    m->inputs = calloc(m->n_inputs, sizeof *m->inputs);
    if (!m->inputs) return no_memory(m, err);
    for (size_t k = 0; k < m->n_inputs; k++) {
        PR_TRY(pr_results_probe(m->paths[k], err));
        PR_TRY(pr_results_open(&m->inputs[k], m->paths[k], err));
        const char *problems = pr_results_problems(m->inputs[k]);
        if (problems[0])
            return pr_fail(err, PR_ERR_MALFORMED, "%s: damaged, not merged; `proverun repair` it first: %.*s",
                           m->paths[k], (int)strcspn(problems, "\n"), problems);
    }
    return PR_OK;
}

pr_status pr_store_merge(size_t *n_conflicts, pr_writer *told, const char *path, const char *const *inputs,
                         size_t n_inputs, pr_error *err) {
    merging m = {.paths = inputs, .n_inputs = n_inputs, .told = told};
    char fresh[4096];
    *n_conflicts = 0;
    if (access(path, F_OK) == 0) return pr_fail(err, PR_ERR_USAGE, "%s: is there already", path);
    if (snprintf(fresh, sizeof fresh, "%s.merging", path) >= (int)sizeof fresh)
        return pr_fail(err, PR_ERR_USAGE, "%s: the path is too long", path);
    PR_TRY(pr_product_init(&m.out, fresh, err));
    pr_status status = open_inputs(&m, err);
    if (status == PR_OK) status = write_output(&m, err);
    if (status == PR_OK && rename(fresh, path) != 0)
        status = pr_fail(err, PR_ERR_IO, "%s: cannot name the merged file: %s", path, strerror(errno));
    if (status == PR_OK) status = pr_file_sync_folder(path, err);
    if (status != PR_OK) unlink(fresh);
    *n_conflicts = m.n_conflicts;
    for (size_t k = 0; m.inputs && k < n_inputs; k++) pr_results_close(m.inputs[k]);
    free(m.inputs);
    free(m.choices);
    free(m.slots);
    free(m.digests);
    pr_product_clear(&m.out);
    return status;
}
