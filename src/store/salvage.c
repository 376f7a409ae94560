/* What can be read of a damaged journal, made into a journal and a results file again. */
#include "store/frame.h"
#include "store/places.h"
#include "store/state.h"
#include "store/step.h"
#include "base/clock.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct salvage {
    pr_store *fresh;
    pr_places at;
    pr_writer *told, names; /* names: of attributes that came through, each with its 0 byte */
    bool lost, unknown;     /* unknown: frames are lost of which nothing is known */
} salvage;

/* ---- frames and faults ---- */

static pr_status take_frame(void *context, const pr_frame *f, pr_error *err) {
    salvage *v = context;
    pr_error e = {0};
    pr_status status = pr_store_adopt(v->fresh, f, &e);
    if (status == PR_OK && f->type == PR_FRAME_ATTRIBUTE) {
        pr_reader r;
        pr_reader_init(&r, f->payload, f->size);
        size_t n = (size_t)pr_read_u64(&r);
        const uint8_t *name = pr_read_borrow(&r, n);
        if (name) pr_write_bytes(&v->names, name, n);
        pr_write_u8(&v->names, 0);
    }
    if (status != PR_ERR_MALFORMED) return status == PR_OK ? PR_OK : pr_fail(err, status, "%s", e.text);
    v->lost = true;
    pr_write_format(v->told, "lost: frame %llu (%s)%s%s: %s\n", (unsigned long long)f->sequence,
                    pr_frame_type_name(f->type), f->id[0] ? ", job " : "", f->id, e.text);
    return PR_OK;
}

static pr_status take_fault(void *context, const pr_fault *f, pr_error *err) {
    salvage *v = context;
    char line[4600];
    (void)err;
    pr_fault_describe(line, sizeof line, v->at.log, f);
    pr_write_format(v->told, "%s%s\n", f->kind == PR_FAULT_TORN ? "" : "lost: ", line);
    v->lost |= f->kind != PR_FAULT_TORN;
    v->unknown |= f->kind != PR_FAULT_TORN && !f->type;
    return PR_OK;
}

/* ---- what the old results file still has ---- */

static bool came_through(const salvage *v, const char *name) {
    const char *names = (const char *)v->names.data;
    for (size_t at = 0; at < v->names.size; at += strlen(names + at) + 1)
        if (!strcmp(names + at, name)) return true;
    return false;
}

static pr_status take_attributes(salvage *v, const pr_results *old, pr_error *err) {
    static const char *const own[] = {"format", "format_version", "file_time", "file_update_time"};
    for (size_t i = 0; i < pr_results_n_attributes(old); i++) {
        pr_attribute a;
        bool is_own = false;
        pr_results_attribute_at(old, i, &a.name, &a.value);
        for (size_t k = 0; k < sizeof own / sizeof own[0]; k++) is_own |= !strcmp(a.name, own[k]);
        if (is_own || came_through(v, a.name)) continue;
        pr_write_format(v->told, "saved from the results file: attribute %s\n", a.name);
        PR_TRY(pr_store_annotate(v->fresh, &a, 1, err));
    }
    return PR_OK;
}

static pr_status take_jobs(salvage *v, const pr_results *old, pr_error *err) {
    for (size_t i = 0; i < pr_results_n_jobs(old); i++) {
        const pr_job_row *row = pr_results_job(old, i);
        pr_record record;
        if (!row->id[0] || !pr_outcome_is_done(row->outcome) || pr_store_has_done(v->fresh, row->id)) continue;
        if (pr_results_load(old, row, &record, NULL) != PR_OK) continue;
        pr_write_format(v->told, "saved from the results file: job %s\n", row->id);
        pr_status status = pr_store_put(v->fresh, &record, err);
        pr_record_clear(&record);
        PR_TRY(status);
    }
    return PR_OK;
}

static pr_status take_old_file(salvage *v, pr_error *err) {
    pr_results *old;
    pr_error e = {0};
    if (access(v->at.path, F_OK) != 0) return PR_OK;
    if (pr_results_probe(v->at.path, &e) != PR_OK || pr_results_open(&old, v->at.path, &e) != PR_OK) {
        pr_write_format(v->told, "nothing saved from the results file: %s\n", e.text);
        return PR_OK;
    }
    pr_status status = take_attributes(v, old, err);
    if (status == PR_OK) status = take_jobs(v, old, err);
    pr_results_close(old);
    return status;
}

/* Jobs that were handed out and have no record are those that frames of nobody may have been of. */
static pr_status tell_suspects(salvage *v, pr_error *err) {
    pr_run_state *s;
    if (!v->unknown) return PR_OK;
    PR_TRY(pr_run_state_load(&s, v->at.fresh_log, err));
    for (size_t i = 0; i < s->n_job_views; i++)
        if (s->jobs[i].outcome == PR_OUTCOME_NONE)
            pr_write_format(v->told, "job %s was handed out and has no record: it may be among what is lost\n",
                            s->jobs[i].id);
    pr_run_state_free(s);
    return PR_OK;
}

/* ---- the whole ---- */

static void remove_fresh(const salvage *v) {
    pr_scan scan = {0};
    if (access(v->at.note, F_OK) == 0) return; /* they are whole, and take their places */
    unlink(v->at.fresh_path);
    if (pr_journal_scan(&scan, v->at.fresh_log, NULL) != PR_OK) scan.n_segments = 1;
    for (uint32_t k = 0; k < scan.n_segments; k++) {
        char name[4200];
        pr_journal_segment_path(name, sizeof name, v->at.fresh_log, k);
        unlink(name);
    }
}

static pr_status fill(salvage *v, uint32_t *n_old, pr_error *err) {
    pr_scan scan = {.visit = take_frame, .fault = take_fault, .context = v};
    PR_TRY(pr_journal_scan(&scan, v->at.log, err));
    *n_old = scan.n_segments;
    PR_TRY(take_old_file(v, err));
    PR_TRY(pr_store_event(v->fresh, PR_EVENT_JOURNAL, -1, NULL,
                          v->lost ? "repaired: frames of the journal were lost" : "repaired: nothing was lost", err));
    PR_TRY(pr_store_commit(v->fresh, err));
    return tell_suspects(v, err);
}

static pr_status make_fresh(salvage *v, pr_error *err) {
    uint32_t n_old = 0;
    pr_scan scan = {0};
    PR_TRY(pr_store_create_bare(&v->fresh, v->at.fresh_path, v->at.log, err));
    pr_status status = fill(v, &n_old, err);
    pr_status closed = pr_store_close(v->fresh, status == PR_OK ? err : NULL);
    if (status == PR_OK) status = closed;
    if (status == PR_OK) status = pr_journal_scan(&scan, v->at.fresh_log, err);
    return status == PR_OK ? pr_places_take(&v->at, n_old, scan.n_segments, err) : status;
}

pr_status pr_store_salvage(bool *lost, pr_writer *told, const char *path, pr_error *err) {
    salvage *v = calloc(1, sizeof *v);
    *lost = false;
    if (!v) return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", path);
    v->told = told;
    pr_writer_init(&v->names);
    pr_status status = pr_places_name(&v->at, path, err);
    if (status == PR_OK) status = pr_places_finish(&v->at, err);
    int lock = status == PR_OK ? open(v->at.log, O_RDWR | O_CLOEXEC) : -1;
    if (lock >= 0) status = pr_journal_lock(lock, v->at.log, err);
    if (status == PR_OK) {
        remove_fresh(v); /* of a repair that was interrupted */
        status = make_fresh(v, err);
        if (status != PR_OK) remove_fresh(v);
    }
    if (lock >= 0) close(lock);
    *lost = v->lost;
    pr_writer_clear(&v->names);
    free(v);
    return status;
}
