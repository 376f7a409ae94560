#include "cluster/run_file.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "cluster/provenance.h"
#include "cluster/resume.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* name-20261124T043637Z-1a2b3c: sorts by time, unique without a look at the folder. */
static pr_status make_run_id(char *out, size_t size, const char *name, pr_error *err) {
    char now[32];
    uint8_t noise[3];
    PR_TRY(pr_random_bytes(noise, sizeof noise, err));
    pr_clock_iso8601(now, pr_clock_wall_ns());
    snprintf(out, size, "%s-%.4s%.2s%.5s%.2s%.2sZ-%02x%02x%02x", name, now, now + 5, now + 8, now + 14, now + 17,
             noise[0], noise[1], noise[2]);
    for (char *c = out + strlen(name); *c; c++)
        if (*c == ':') *c = '-';
    return PR_OK;
}

typedef struct beginning { /* what a run's file says from the first moment */
    char digest[65], now[32];
    pr_attribute all[9];
} beginning;

static void describe(beginning *b, pr_run_file *f, const pr_manifest *m) {
    pr_hex_encode(b->digest, m->digest.bytes, sizeof m->digest.bytes);
    f->started_wall_ns = pr_clock_wall_ns();
    pr_clock_iso8601(b->now, f->started_wall_ns);
    const pr_attribute all[] = {
        {"creator", "proverun"},        {"creator_version", PR_VERSION}, {"run_id", f->run_id},
        {"run_name", m->name},          {"manifest_path", m->path},      {"manifest_text", m->text},
        {"manifest_digest", b->digest}, {"started_at", b->now},          {"manifest_dir", m->base_dir},
    };
    memcpy(b->all, all, sizeof all);
}

static pr_status create(pr_run_file *f, const pr_run_options *o, const pr_manifest *m, pr_error *err) {
    beginning b;
    if (!o->results_dir[0]) return pr_fail(err, PR_ERR_USAGE, "results folder: its path is empty");
    PR_TRY(pr_file_make_folders(o->results_dir, err));
    PR_TRY(make_run_id(f->run_id, sizeof f->run_id, m->name, err));
    int n = snprintf(f->path, sizeof f->path, "%s/%s.h5", o->results_dir, f->run_id);
    if (n < 0 || (size_t)n >= sizeof f->path) return pr_fail(err, PR_ERR_USAGE, "results folder: the path is too long");
    f->manifest_digest = m->digest;
    describe(&b, f, m);
    return pr_store_create(&f->store, f->path, b.all, sizeof b.all / sizeof b.all[0], err);
}

pr_status pr_run_file_begin_again(pr_run_file *f, const pr_manifest *m, pr_error *err) {
    beginning b;
    const char *name = pr_file_name(f->path);
    size_t n = strlen(name), cut = n > 3 && strcmp(name + n - 3, ".h5") == 0 ? 3 : 0;
    snprintf(f->run_id, sizeof f->run_id, "%.*s", (int)(n - cut), name);
    f->manifest_digest = m->digest;
    describe(&b, f, m);
    return pr_store_annotate(f->store, b.all, sizeof b.all / sizeof b.all[0], err);
}

static void link_latest(const pr_run_file *f) {
    pr_error e = {0};
    if (pr_store_link_latest(f->path, &e) != PR_OK) pr_log(PR_LOG_WARN, "run", "%s", e.text);
}

pr_status pr_run_file_open(pr_run_file *f, const pr_run_options *o, const pr_manifest *m, pr_error *err) {
    memset(f, 0, sizeof *f);
    f->past = calloc(m->n_jobs, sizeof *f->past);
    f->attempts = calloc(m->n_jobs, sizeof *f->attempts);
    pr_status status = PR_OK;
    if (!f->past || !f->attempts) status = pr_fail(err, PR_ERR_MEMORY, "out of memory for %zu jobs", m->n_jobs);
    if (status == PR_OK) status = o->resume ? pr_resume_open(f, o, m, err) : create(f, o, m, err);
    if (status == PR_OK) link_latest(f);
    if (status != PR_OK) pr_run_file_clear(f);
    return status;
}

pr_status pr_run_file_begin(pr_run_file *f, const pr_run_options *o, const pr_manifest *m, const pr_run_place *place,
                            pr_error *err) {
    pr_session_row *s = &f->session;
    s->ranks = place->ranks;
    s->threads = place->threads;
    s->jobs = (uint32_t)m->n_jobs;
    s->done_before = (uint32_t)f->n_done;
    f->session_began = pr_clock_moment();
    pr_clock_iso8601(s->started_at, f->session_began.wall_ns);
    pr_row_set_text(s->status, sizeof s->status, "running");
    pr_row_set_text(s->hosts, sizeof s->hosts, place->hosts);
    pr_row_set_text(s->command_line, sizeof s->command_line, o->command_line);
    if (!f->has_provenance) PR_TRY(pr_provenance_write(f->store, o, place, err));
    return pr_store_begin_session(f->store, s, err);
}

uint64_t pr_run_file_deadline_ns(const pr_run_file *f, const pr_manifest_job *job) {
    return job->deadline_ns ? f->started_wall_ns + job->deadline_ns : job->deadline_wall_ns;
}

#define PR_UNRECORDED_ATTEMPTS 16u /* at one job, while the writing thread falls behind */

static uint32_t last_given(const pr_run_file *f, uint32_t job) {
    uint32_t known = f->attempts[job];
    return known < UINT32_MAX - PR_UNRECORDED_ATTEMPTS ? known + PR_UNRECORDED_ATTEMPTS : UINT32_MAX;
}

bool pr_run_file_may_have_given(const pr_run_file *f, uint32_t job, uint32_t attempt) {
    return attempt <= last_given(f, job);
}

uint32_t pr_run_file_pass_attempt(pr_run_file *f, uint32_t job, uint32_t heard) {
    uint32_t last = last_given(f, job);
    if (heard > last) heard = last;
    if (heard > f->attempts[job]) f->attempts[job] = heard;
    return f->attempts[job];
}

uint32_t pr_run_file_session(const pr_run_file *f) { return pr_store_session(f->store); }

pr_status pr_run_file_end(pr_run_file *f, const char *status_text, pr_error *err) {
    pr_clock_iso8601(f->session.finished_at, pr_clock_wall_after(&f->session_began));
    pr_row_set_text(f->session.status, sizeof f->session.status, status_text);
    pr_status status = pr_store_end_session(f->store, &f->session, err);
    pr_error second = {0};
    pr_status closed = pr_store_close(f->store, &second);
    f->store = NULL;
    if (status != PR_OK || closed == PR_OK) return status;
    return pr_fail(err, closed, "%s", second.text);
}

void pr_run_file_clear(pr_run_file *f) {
    if (f->store && pr_store_close(f->store, NULL) != PR_OK) f->store = NULL;
    f->store = NULL;
    free(f->past);
    free(f->attempts);
    f->past = NULL;
    f->attempts = NULL;
}
