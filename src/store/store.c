#include "store/store.h"
#include "base/clock.h"
#include "store/places.h"
#include "store/step.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pr_store {
    pr_journal *journal;
    pr_product product;
};

pr_status pr_store_journal_path(char *out, size_t size, const char *path, pr_error *err) {
    size_t n = strlen(path), cut = n > 3 && !strcmp(path + n - 3, ".h5") ? n - 3 : n;
    int written = snprintf(out, size, "%.*s.journal", (int)cut, path);
    return written > 0 && (size_t)written < size ? PR_OK : pr_fail(err, PR_ERR_USAGE, "%s: the path is too long", path);
}

/* ---- opening ---- */

static void release(pr_store *s) {
    pr_journal_close(s->journal);
    pr_product_clear(&s->product);
    free(s);
}

static pr_status allocate(pr_store **out, const char *path, pr_error *err) {
    pr_store *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s) return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", path);
    pr_status status = pr_product_init(&s->product, path, err);
    if (status == PR_OK)
        *out = s;
    else
        release(s);
    return status;
}

static pr_status write_new(pr_store *s, const pr_attribute *attributes, size_t n, pr_error *err) {
    char version[48];
    unsigned a, b, c;
    H5get_libversion(&a, &b, &c);
    snprintf(version, sizeof version, "%u.%u.%u", a, b, c);
    PR_TRY(pr_store_annotate(s, &(pr_attribute){"HDF5_Version", version}, 1, err));
    PR_TRY(pr_store_annotate(s, attributes, n, err));
    PR_TRY(pr_store_commit(s, err));
    PR_TRY(pr_product_create_file(&s->product, true, err));
    return pr_store_flush(s, err);
}

pr_status pr_store_create(pr_store **out, const char *path, const pr_attribute *attributes, size_t n, pr_error *err) {
    char log[4096];
    const char *run_id = "";
    pr_store *s;
    *out = NULL;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(attributes[i].name, "run_id")) run_id = attributes[i].value;
    PR_TRY(pr_store_journal_path(log, sizeof log, path, err));
    if (access(path, F_OK) == 0) return pr_fail(err, PR_ERR_IO, "%s: there is a results file of that name", path);
    PR_TRY(allocate(&s, path, err));
    pr_status status = pr_journal_create(&s->journal, log, run_id, err);
    if (status == PR_OK) status = write_new(s, attributes, n, err);
    if (status == PR_OK)
        *out = s;
    else
        release(s);
    return status;
}

pr_status pr_store_create_bare(pr_store **out, const char *path, const char *old_journal, pr_error *err) {
    char log[4096];
    pr_store *s;
    pr_scan scan = {0};
    *out = NULL;
    PR_TRY(pr_store_journal_path(log, sizeof log, path, err));
    PR_TRY(pr_journal_scan(&scan, old_journal, err));
    PR_TRY(allocate(&s, path, err));
    pr_status status = pr_journal_create(&s->journal, log, scan.run_id, err);
    if (status == PR_OK) status = pr_product_create_file(&s->product, true, err);
    if (status == PR_OK)
        *out = s;
    else
        release(s);
    return status;
}

typedef struct rebuilding {
    pr_product *product;
    bool owns_file; /* the file beside is ours only once the journal is locked */
} rebuilding;

static pr_status create_once(rebuilding *b, pr_error *err) {
    if (b->owns_file) return PR_OK;
    b->owns_file = true;
    return pr_product_create_file(b->product, false, err);
}

static pr_status replay(void *context, const pr_frame *frame, pr_error *err) {
    rebuilding *b = context;
    PR_TRY(create_once(b, err));
    return pr_step_replay(b->product, frame, err);
}

/* The journal's frames into a file beside, which then takes the place of the old one. */
static pr_status rebuild(rebuilding *b, pr_store *s, const char *path, const char *log, pr_error *err) {
    pr_product *p = &s->product;
    b->product = p;
    PR_TRY(pr_journal_open(&s->journal, log, replay, b, err));
    PR_TRY(create_once(b, err));
    PR_TRY(pr_product_flush(p, PR_FLUSH_NOW, err));
    PR_TRY(pr_product_sync(p, err));
    if (rename(p->path, path) != 0)
        return pr_fail(err, PR_ERR_IO, "%s: cannot take the rebuilt file's place: %s", path, strerror(errno));
    char *name = strdup(path);
    if (!name) return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", path);
    free(p->path);
    p->path = name;
    return pr_product_sync(p, err);
}

static pr_status note_torn_end(pr_store *s, pr_error *err) {
    char text[128];
    uint64_t n = pr_journal_dropped(s->journal);
    if (n == 0) return PR_OK;
    snprintf(text, sizeof text, "dropped a torn end of %llu bytes, never acknowledged", (unsigned long long)n);
    PR_TRY(pr_store_event(s, PR_EVENT_JOURNAL, -1, NULL, text, err));
    return pr_store_commit(s, err);
}

/* The other half of a repair that was killed. */
static pr_status finish_repair(const char *path, pr_error *err) {
    pr_places at;
    PR_TRY(pr_places_name(&at, path, err));
    return pr_places_finish(&at, err);
}

pr_status pr_store_reopen(pr_store **out, const char *path, pr_error *err) {
    char log[4096], fresh[4096];
    pr_store *s;
    *out = NULL;
    PR_TRY(finish_repair(path, err));
    PR_TRY(pr_store_journal_path(log, sizeof log, path, err));
    int n = snprintf(fresh, sizeof fresh, "%s.rebuilt", path);
    if (n < 0 || (size_t)n >= sizeof fresh) return pr_fail(err, PR_ERR_USAGE, "%s: the path is too long", path);
    if (access(log, F_OK) != 0)
        return pr_fail(err, PR_ERR_MALFORMED, "%s: its journal %s is not there: nothing can be added to it", path, log);
    PR_TRY(allocate(&s, fresh, err));
    rebuilding b = {0};
    pr_status status = rebuild(&b, s, path, log, err);
    if (status == PR_OK) status = note_torn_end(s, err);
    if (status == PR_OK) {
        *out = s;
        return PR_OK;
    }
    if (b.owns_file) unlink(fresh);
    release(s);
    return status;
}

pr_status pr_store_repair(bool *rebuilt, const char *path, pr_error *err) {
    char log[4096];
    pr_store *s;
    *rebuilt = false;
    PR_TRY(finish_repair(path, err));
    PR_TRY(pr_store_journal_path(log, sizeof log, path, err));
    if (access(log, F_OK) != 0) return PR_OK;
    PR_TRY(pr_store_reopen(&s, path, err));
    PR_TRY(pr_store_close(s, err));
    *rebuilt = true;
    return PR_OK;
}

pr_status pr_store_close(pr_store *s, pr_error *err) {
    if (!s) return PR_OK;
    pr_status status = pr_store_commit(s, err);
    if (status == PR_OK) status = pr_product_flush(&s->product, PR_FLUSH_NOW, err);
    if (status == PR_OK) status = pr_product_sync(&s->product, err);
    release(s);
    return status;
}

pr_status pr_store_link_latest(const char *path, pr_error *err) {
    char link[4096], fresh[4096];
    int folder = (int)(pr_file_name(path) - path);
    int n = snprintf(link, sizeof link, "%.*slatest", folder, path);
    int m = snprintf(fresh, sizeof fresh, "%.*s.latest-%d", folder, path, (int)getpid());
    if (n < 0 || m < 0 || (size_t)n >= sizeof link || (size_t)m >= sizeof fresh)
        return pr_fail(err, PR_ERR_USAGE, "%s: the path is too long", path);
    unlink(fresh);
    if (symlink(path + folder, fresh) == 0 && rename(fresh, link) == 0) return PR_OK;
    pr_status status = pr_fail(err, PR_ERR_IO, "%s: cannot make the link: %s", link, strerror(errno));
    unlink(fresh);
    return status;
}

pr_status pr_store_follow_link(char *out, size_t size, const char *path, pr_error *err) {
    char target[4096];
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n > 0) target[n] = 0;
    int folder = n > 0 && target[0] != '/' ? (int)(pr_file_name(path) - path) : 0;
    int m = snprintf(out, size, "%.*s%s", folder, path, n > 0 ? target : path);
    return m >= 0 && (size_t)m < size ? PR_OK : pr_fail(err, PR_ERR_USAGE, "%s: the path is too long", path);
}

/* ---- appending ---- */

/* What could not be read again is never written. Empties payload. */
static pr_status append(pr_store *s, pr_frame frame, pr_writer *payload, pr_error *err) {
    pr_step step;
    frame.payload = payload->data;
    frame.size = payload->size;
    if (!frame.time_ns) frame.time_ns = pr_clock_wall_ns();
    pr_status status = payload->failed ? pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", s->product.path)
                                       : pr_step_decode(&step, &frame, err);
    if (status == PR_OK) {
        status = pr_journal_append(s->journal, &frame, err);
        if (status == PR_OK) status = pr_step_apply(&s->product, &step, err);
        pr_step_clear(&step);
    }
    pr_writer_clear(payload);
    return status;
}

pr_status pr_store_adopt(pr_store *s, const pr_frame *frame, pr_error *err) {
    pr_step step;
    PR_TRY(pr_step_decode(&step, frame, err));
    pr_status status = PR_OK;
    if (step.type == PR_FRAME_RECORD && pr_store_has_done(s, step.as.record.row.id))
        status = pr_fail(err, PR_ERR_MALFORMED, "job `%s` is done already", step.as.record.row.id);
    if (status == PR_OK) status = pr_journal_append(s->journal, frame, err);
    if (status == PR_OK) status = pr_step_apply(&s->product, &step, err);
    pr_step_clear(&step);
    if (status == PR_OK && pr_product_pending(&s->product) > PR_PENDING_MAX) status = pr_store_flush(s, err);
    return status;
}

bool pr_store_has_done(const pr_store *s, const char *id) {
    const pr_known_job *k = pr_product_find(&s->product, id);
    return k && pr_outcome_is_done(k->outcome);
}

static pr_status append_row(pr_store *s, pr_frame frame, const pr_row_spec *spec, const void *row, pr_error *err) {
    pr_writer w;
    pr_writer_init(&w);
    pr_row_encode(&w, spec, row);
    return append(s, frame, &w, err);
}

pr_status pr_store_put(pr_store *s, const pr_record *record, pr_error *err) {
    const pr_known_job *before = pr_product_find(&s->product, record->row.id);
    PR_ASSERT(record->row.id[0] && !(before && pr_outcome_is_done(before->outcome)));
    pr_record numbered = *record; /* borrows the parts */
    numbered.row.session = pr_store_session(s);
    pr_writer w;
    pr_writer_init(&w);
    pr_record_encode(&w, &numbered);
    const pr_frame frame = {.type = PR_FRAME_RECORD, .rank = record->row.prover_rank, .id = numbered.row.id};
    PR_TRY(append(s, frame, &w, err));
    return pr_product_pending(&s->product) > PR_PENDING_MAX ? pr_store_flush(s, err) : PR_OK;
}

pr_status pr_store_annotate(pr_store *s, const pr_attribute *attributes, size_t n, pr_error *err) {
    for (size_t i = 0; i < n; i++) {
        pr_writer w;
        pr_writer_init(&w);
        pr_write_text(&w, attributes[i].name);
        pr_write_text(&w, attributes[i].value);
        PR_TRY(append(s, (pr_frame){.type = PR_FRAME_ATTRIBUTE, .rank = -1}, &w, err));
    }
    return PR_OK;
}

pr_status pr_store_event(pr_store *s, pr_event_kind kind, int32_t rank, const char *id, const char *text,
                         pr_error *err) {
    pr_event_row row = {.kind = kind, .rank = rank, .time_ns = pr_clock_wall_ns()};
    pr_row_set_text(row.id, sizeof row.id, id ? id : "");
    pr_row_set_text(row.text, sizeof row.text, text);
    pr_clock_iso8601(row.time_at, row.time_ns);
    const pr_frame frame = {.type = PR_FRAME_EVENT, .rank = rank, .id = row.id, .time_ns = row.time_ns};
    return append_row(s, frame, &pr_event_row_spec, &row, err);
}

pr_status pr_store_sample(pr_store *s, const char *series, double value, pr_error *err) {
    pr_sample_row row = {.value = value, .time_ns = pr_clock_wall_ns()};
    pr_row_set_text(row.id, sizeof row.id, series);
    const pr_frame frame = {.type = PR_FRAME_SAMPLE, .rank = -1, .time_ns = row.time_ns};
    return append_row(s, frame, &pr_sample_row_spec, &row, err);
}

pr_status pr_store_note_assignment(pr_store *s, const char *id, uint32_t attempt, pr_assigned what, int32_t rank,
                                   pr_error *err) {
    pr_assignment_row row = {.attempt = attempt, .what = what, .rank = rank};
    pr_row_set_text(row.id, sizeof row.id, id);
    const pr_frame frame = {.type = PR_FRAME_ASSIGNMENT, .rank = rank, .id = row.id};
    return append_row(s, frame, &pr_assignment_row_spec, &row, err);
}

pr_status pr_store_note_rank(pr_store *s, const pr_rank_row *row, pr_error *err) {
    const pr_frame frame = {.type = PR_FRAME_RANK, .rank = row->rank, .id = row->id};
    return append_row(s, frame, &pr_rank_row_spec, row, err);
}

static pr_status append_bytes(pr_store *s, uint32_t type, const uint8_t *bytes, size_t size, pr_error *err) {
    pr_writer w;
    pr_writer_init(&w);
    pr_write_bytes(&w, bytes, size);
    return append(s, (pr_frame){.type = type, .rank = -1}, &w, err);
}

pr_status pr_store_consensus(pr_store *s, const uint8_t *record, size_t size, pr_error *err) {
    return append_bytes(s, PR_FRAME_CONSENSUS, record, size, err);
}

pr_status pr_store_batch(pr_store *s, const uint8_t *certificate, size_t size, pr_error *err) {
    return append_bytes(s, PR_FRAME_BATCH, certificate, size, err);
}

pr_status pr_store_begin_session(pr_store *s, const pr_session_row *row, pr_error *err) {
    const pr_frame frame = {.type = PR_FRAME_SESSION_BEGIN, .rank = -1};
    PR_TRY(append_row(s, frame, &pr_session_row_spec, row, err));
    return pr_store_flush(s, err);
}

pr_status pr_store_end_session(pr_store *s, const pr_session_row *row, pr_error *err) {
    const pr_frame frame = {.type = PR_FRAME_SESSION_END, .rank = -1};
    PR_ASSERT(pr_store_session(s) > 0);
    PR_TRY(pr_store_commit(s, err));
    PR_TRY(append_row(s, frame, &pr_session_row_spec, row, err));
    return pr_store_flush(s, err);
}

pr_status pr_store_commit(pr_store *s, pr_error *err) { return pr_journal_sync(s->journal, err); }

pr_status pr_store_flush(pr_store *s, pr_error *err) {
    PR_TRY(pr_store_commit(s, err));
    return pr_product_flush(&s->product, PR_FLUSH_LATER, err);
}

uint64_t pr_store_pending_bytes(const pr_store *s) { return pr_product_pending(&s->product); }
uint64_t pr_store_journal_bytes(const pr_store *s) { return pr_journal_bytes(s->journal); }
uint64_t pr_store_consensus_records(const pr_store *s) { return s->product.n_ballots; }
uint32_t pr_store_last_attempt(const pr_store *s, const char *id) { return pr_product_last_assigned(&s->product, id); }

uint32_t pr_store_session(const pr_store *s) { return (uint32_t)strtoul(s->product.session.id, NULL, 10); }

uint64_t pr_store_bytes(const pr_store *s) {
    struct stat st;
    return stat(s->product.path, &st) == 0 ? (uint64_t)st.st_size : 0;
}
