/* Finding the run to resume, and making sure that it is a run of these jobs. */
#include "cluster/resume.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PR_MAX_DIFFERENCES 100u /* told one by one */

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

#define PR_STAMP_BYTES (sizeof "-20261124T043637Z-1a2b3c" - 1)

/* "name-<16 characters of time>-<6 of noise>", then .h5 or .journal: run ids of one name sort by time. */
static bool is_run_of(const char *file, const char *name) {
    size_t n = strlen(name), stem = n + PR_STAMP_BYTES;
    return strncmp(file, name, n) == 0 && file[n] == '-' && strlen(file) > stem &&
           (strcmp(file + stem, ".h5") == 0 || strcmp(file + stem, ".journal") == 0);
}

/* A run is there when its results file or its journal is: the file is made again from the journal. */
static bool run_exists(const char *path) {
    char journal[sizeof((pr_run_file *)0)->path + sizeof ".journal"];
    size_t n = strlen(path) - (ends_with(path, ".h5") ? strlen(".h5") : 0);
    snprintf(journal, sizeof journal, "%.*s.journal", (int)n, path);
    return access(path, R_OK) == 0 || access(journal, R_OK) == 0;
}

static pr_status find_newest(char *path, size_t size, const char *folder, const char *name, pr_error *err) {
    char best[256] = "";
    DIR *d = opendir(folder);
    if (!d) return pr_fail(err, PR_ERR_USAGE, "--resume: %s: %s", folder, strerror(errno));
    for (struct dirent *e; (e = readdir(d));)
        if (is_run_of(e->d_name, name) && strcmp(e->d_name, best) > 0)
            snprintf(best, sizeof best, "%.*s.h5", (int)(strlen(name) + PR_STAMP_BYTES), e->d_name);
    closedir(d);
    if (!best[0])
        return pr_fail(err, PR_ERR_USAGE,
                       "--resume: %s holds no run of a manifest named `%s`; leave --resume out to "
                       "start a new run",
                       folder, name);
    snprintf(path, size, "%s/%s", folder, best);
    return PR_OK;
}

static pr_status find_file(pr_run_file *f, const pr_run_options *o, const pr_manifest *m, pr_error *err) {
    if (!o->resume[0]) return find_newest(f->path, sizeof f->path, o->results_dir, m->name, err);
    bool is_path = strchr(o->resume, '/') || ends_with(o->resume, ".h5");
    if (is_path) PR_TRY(pr_store_follow_link(f->path, sizeof f->path, o->resume, err));
    int n = is_path ? (int)strlen(f->path) : snprintf(f->path, sizeof f->path, "%s/%s.h5", o->results_dir, o->resume);
    if (n < 0 || (size_t)n >= sizeof f->path || !run_exists(f->path))
        return pr_fail(err, PR_ERR_USAGE, "--resume: there is no run %s", f->path);
    return PR_OK;
}

/* ---- the jobs of the run against those of the manifest given now ---- */

static void differ(size_t *n, const char *id, const char *how) {
    if ((*n)++ < PR_MAX_DIFFERENCES) pr_log(PR_LOG_ERROR, "resume", "job `%s` %s", id, how);
}

static const char *value_of(const pr_params *params, const char *name) {
    for (size_t i = 0; i < params->n; i++)
        if (strcmp(params->items[i].name, name) == 0) return params->items[i].value;
    return "(default)";
}

static size_t say(char *out, size_t size, size_t at, const char *name, const char *was, const char *is) {
    int n = at < size ? snprintf(out + at, size - at, "%s %s: %s, was %s", at ? ";" : "", name, is, was) : 0;
    return at + (n > 0 ? (size_t)n : 0);
}

/* "params log_rows: 13, was 12" */
static void describe_change(char *out, size_t size, const pr_manifest_job *was, const pr_manifest_job *is) {
    size_t at = 0;
    out[0] = 0;
    if (was->type != is->type) at = say(out, size, at, "type", was->type->name, is->type->name);
    if (strcmp(was->profile, is->profile) != 0) at = say(out, size, at, "profile", was->profile, is->profile);
    for (size_t i = 0; i < is->params.n; i++) {
        const char *name = is->params.items[i].name, *before = value_of(&was->params, name);
        if (strcmp(before, is->params.items[i].value) != 0)
            at = say(out, size, at, name, before, is->params.items[i].value);
    }
    for (size_t i = 0; i < was->params.n; i++) {
        const char *name = was->params.items[i].name, *now = value_of(&is->params, name);
        if (strcmp(now, "(default)") == 0) at = say(out, size, at, name, was->params.items[i].value, now);
    }
}

static size_t compare(const pr_manifest *was, const pr_manifest *is) {
    size_t n = 0;
    char change[600], text[700];
    for (size_t i = 0; i < is->n_jobs; i++) {
        const pr_manifest_job *before = pr_manifest_find(was, is->jobs[i].id);
        if (!before) {
            differ(&n, is->jobs[i].id, "is new");
        } else if (!pr_hash_equal(&before->content, &is->jobs[i].content)) {
            describe_change(change, sizeof change, before, &is->jobs[i]);
            snprintf(text, sizeof text, "has other content:%s", change);
            differ(&n, is->jobs[i].id, text);
        }
    }
    for (size_t i = 0; i < was->n_jobs; i++)
        if (!pr_manifest_find(is, was->jobs[i].id)) differ(&n, was->jobs[i].id, "is gone");
    if (n > PR_MAX_DIFFERENCES) pr_log(PR_LOG_ERROR, "resume", "and %zu more", n - PR_MAX_DIFFERENCES);
    return n;
}

/* The manifest that the run began with, against the one given now. */
static pr_status compare_manifests(pr_run_file *f, const pr_results *r, const pr_run_options *o, const pr_manifest *m,
                                   pr_error *err) {
    const char *text = pr_results_attribute(r, "manifest_text");
    if (!text) return pr_fail(err, PR_ERR_MALFORMED, "%s: holds no manifest", f->path);
    f->manifest_digest = pr_blake2s_hash(text, strlen(text));
    pr_manifest before;
    pr_error e = {0};
    if (pr_manifest_parse(&before, text, strlen(text), "manifest", m->base_dir, o->types, NULL, &e) != PR_OK)
        return pr_fail(err, PR_ERR_USAGE, "--resume: the manifest in %s is not valid for this program: %s", f->path,
                       e.text);
    size_t n = compare(&before, m);
    pr_manifest_clear(&before);
    if (n == 0) return PR_OK;
    return pr_fail(err, PR_ERR_USAGE,
                   "--resume: %zu jobs of %s are not those of run %s; a changed manifest is a new run: leave --resume "
                   "out",
                   n, m->path, f->path);
}

static pr_status take_rows(pr_run_file *f, const pr_results *r, const pr_run_options *o, const pr_manifest *m,
                           pr_error *err) {
    char content[65];
    for (size_t i = 0; i < pr_results_n_jobs(r); i++) {
        const pr_job_row *row = pr_results_job(r, i);
        const pr_manifest_job *job = pr_manifest_find(m, row->id);
        if (job) pr_hex_encode(content, job->content.bytes, sizeof job->content.bytes);
        if (!job || strcmp(content, row->content_hash) != 0)
            return pr_fail(err, PR_ERR_USAGE, "--resume: %s: job `%s` is not of this manifest", f->path, row->id);
        size_t j = (size_t)(job - m->jobs);
        f->attempts[j] = row->attempts;
        if (pr_outcome_is_done(row->outcome))
            f->past[j] = PR_SCHEDULE_WAS_DONE;
        else if (!o->retry_failed)
            f->past[j] = PR_SCHEDULE_HAS_FAILED;
    }
    for (size_t j = 0; j < m->n_jobs; j++) {
        uint32_t last = pr_store_last_attempt(f->store, m->jobs[j].id);
        if (last > f->attempts[j]) f->attempts[j] = last;
        f->n_done += f->past[j] == PR_SCHEDULE_WAS_DONE;
        f->n_failed += f->past[j] == PR_SCHEDULE_HAS_FAILED;
    }
    return PR_OK;
}

/* "2026-11-24T04:36:37.123456789Z", to the second; without it the run starts now. */
static uint64_t started_wall_ns(const pr_results *r) {
    char text[32] = "";
    uint64_t ns;
    const char *at = pr_results_attribute(r, "started_at");
    if (at) snprintf(text, sizeof text, "%.19sZ", at);
    return pr_time_parse_iso8601(&ns, text) ? ns : pr_clock_wall_ns();
}

/* Of the consensus; a run that was ended before it had any begins with new ones. */
static void take_terms(pr_run_file *f, const pr_results *r) {
    const char *seed = pr_results_attribute(r, "consensus_seed");
    const char *size = pr_results_attribute(r, "consensus_committee_size");
    f->has_terms = seed && size && pr_hex_decode(f->seed.bytes, sizeof f->seed.bytes, seed);
    f->consensus_records = pr_store_consensus_records(f->store);
    f->committee_size = size ? (uint32_t)strtoul(size, NULL, 10) : 0;
}

static pr_status take_run(pr_run_file *f, const pr_results *r, const pr_run_options *o, const pr_manifest *m,
                          pr_error *err) {
    const char *problems = pr_results_problems(r), *id = pr_results_attribute(r, "run_id");
    if (problems[0])
        return pr_fail(err, PR_ERR_MALFORMED, "%s: damaged, not resumed: %.*s", f->path, (int)strcspn(problems, "\n"),
                       problems);
    if (!pr_results_attribute(r, "manifest_dir") && pr_results_n_jobs(r) == 0)
        return pr_run_file_begin_again(f, m, err); /* ended before the last of them was written */
    PR_TRY(compare_manifests(f, r, o, m, err));
    PR_TRY(take_rows(f, r, o, m, err));
    snprintf(f->run_id, sizeof f->run_id, "%s", id ? id : "unknown");
    f->started_wall_ns = started_wall_ns(r);
    take_terms(f, r);
    f->has_provenance = pr_results_attribute(r, "configuration") != NULL;
    return PR_OK;
}

static pr_status read_run(pr_run_file *f, const pr_run_options *o, const pr_manifest *m, pr_error *err) {
    pr_results *r = NULL;
    PR_TRY(pr_results_open(&r, f->path, err));
    pr_status status = take_run(f, r, o, m, err);
    pr_results_close(r);
    return status;
}

static pr_status resume(pr_run_file *f, const pr_run_options *o, const pr_manifest *m, pr_error *err) {
    PR_TRY(find_file(f, o, m, err));
    PR_TRY(pr_store_reopen(&f->store, f->path, err)); /* takes the lock, makes the file again from the journal */
    return read_run(f, o, m, err);
}

/* Exit code 1 is for jobs that failed: damage that keeps a run from going on is a failure of its files. */
pr_status pr_resume_open(pr_run_file *f, const pr_run_options *o, const pr_manifest *m, pr_error *err) {
    pr_status status = resume(f, o, m, err);
    if (status != PR_ERR_MALFORMED) return status;
    return err->status = PR_ERR_IO;
}
