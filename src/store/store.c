#include "store/store.h"
#include "store/hdf.h"
#include "store/journal.h"
#include "base/clock.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct known {
    char id[128];
    uint64_t row;
    uint32_t outcome;
} known;

struct pr_store {
    hid_t file;
    char *path;
    pr_journal *journal; /* NULL while it is being replayed, and for a file that has none */
    pr_table jobs, params, outputs, proofs, publics, sessions;
    pr_blob proof_data, public_data;
    known *rows; /* open addressing by id, capacity a power of two */
    size_t n_rows, capacity;
};

static const struct {
    size_t offset;
    const char *name, *help;
    const pr_row_spec *spec;
} tables[] = {
    {offsetof(pr_store, jobs), "/jobs", "one row a job that ended", &pr_job_row_spec},
    {offsetof(pr_store, params), "/params", "parameters as the manifest gives them", &pr_param_row_spec},
    {offsetof(pr_store, outputs), "/outputs", "public outputs of proven jobs", &pr_output_row_spec},
    {offsetof(pr_store, proofs), "/proofs/index", "where each proof lies in /proofs/data", &pr_proof_row_spec},
    {offsetof(pr_store, publics), "/public_data/index", "where each job's public data lies in /public_data/data",
     &pr_public_row_spec},
    {offsetof(pr_store, sessions), "/sessions", "starts of the program on this run", &pr_session_row_spec},
};
#define PR_N_TABLES (sizeof tables / sizeof tables[0])

static pr_table *table_at(pr_store *s, size_t i) { return (pr_table *)((char *)s + tables[i].offset); }

/* ---- ids that have a row ---- */

static size_t id_slot(const pr_store *s, const char *id) {
    uint64_t h = 14695981039346656037u;
    for (const char *c = id; *c; c++) h = (h ^ (unsigned char)*c) * 1099511628211u;
    size_t i = (size_t)h & (s->capacity - 1);
    while (s->rows[i].id[0] && strcmp(s->rows[i].id, id) != 0) i = (i + 1) & (s->capacity - 1);
    return i;
}

static known *find_known(const pr_store *s, const char *id) {
    if (!s->capacity) return NULL;
    known *k = &s->rows[id_slot(s, id)];
    return k->id[0] ? k : NULL;
}

static pr_status grow_known(pr_store *s, pr_error *err) {
    if (2 * (s->n_rows + 1) < s->capacity) return PR_OK;
    known *old = s->rows;
    size_t n = s->capacity, room = n ? 2 * n : 64;
    known *fresh = calloc(room, sizeof *fresh);
    if (!fresh) return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory for the ids of jobs", s->path);
    s->rows = fresh;
    s->capacity = room;
    for (size_t i = 0; i < n; i++)
        if (old[i].id[0]) s->rows[id_slot(s, old[i].id)] = old[i];
    free(old);
    return PR_OK;
}

/* Room was made by grow_known. */
static void add_known(pr_store *s, const char *id, uint64_t row, uint32_t outcome) {
    known *k = &s->rows[id_slot(s, id)];
    if (!k->id[0]) s->n_rows++;
    snprintf(k->id, sizeof k->id, "%s", id);
    k->row = row;
    k->outcome = outcome;
}

/* ---- opening ---- */

static void release(pr_store *s) {
    for (size_t i = 0; i < PR_N_TABLES; i++) pr_table_close(table_at(s, i));
    pr_blob_close(&s->proof_data);
    pr_blob_close(&s->public_data);
    pr_journal_close(s->journal);
    free(s->rows);
    free(s->path);
    free(s);
}

static pr_status abandon(pr_store *s, pr_status status) {
    hid_t file = s->file;
    release(s);
    if (file >= 0) H5Fclose(file);
    H5Eclear2(H5E_DEFAULT);
    return status;
}

static pr_status allocate(pr_store **out, const char *path, pr_error *err) {
    pr_hdf_init();
    pr_store *s = calloc(1, sizeof *s);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", path);
    }
    s->file = -1;
    *out = s;
    return PR_OK;
}

static pr_status write_times(pr_store *s, const char *first_name, pr_error *err) {
    char now[32];
    pr_clock_iso8601(now, pr_clock_wall_ns());
    if (first_name) PR_TRY(pr_hdf_write_text(s->file, s->path, first_name, now, err));
    return pr_hdf_write_text(s->file, s->path, "file_update_time", now, err);
}

/* results/run.h5 -> results/run.journal */
static pr_status journal_path(char *out, size_t size, const char *path, pr_error *err) {
    size_t n = strlen(path), cut = n > 3 && !strcmp(path + n - 3, ".h5") ? n - 3 : n;
    int written = snprintf(out, size, "%.*s.journal", (int)cut, path);
    return written > 0 && (size_t)written < size ? PR_OK : pr_fail(err, PR_ERR_USAGE, "%s: the path is too long", path);
}

static pr_status log_frame(pr_store *s, pr_frame_type type, pr_writer *w, pr_error *err) {
    pr_status status = PR_OK;
    if (w->failed)
        status = pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", s->path);
    else if (s->journal)
        status = pr_journal_append(s->journal, type, w->data, w->size, err);
    pr_writer_clear(w);
    return status;
}

static pr_status log_attribute(pr_store *s, const pr_attribute *a, pr_error *err) {
    pr_writer w;
    pr_writer_init(&w);
    pr_write_text(&w, a->name);
    pr_write_text(&w, a->value);
    return log_frame(s, PR_FRAME_ATTRIBUTE, &w, err);
}

static pr_status log_record(pr_store *s, const pr_record *record, pr_error *err) {
    pr_writer w;
    pr_writer_init(&w);
    if (s->journal) pr_record_encode(&w, record);
    return log_frame(s, PR_FRAME_RECORD, &w, err);
}

static pr_status log_session(pr_store *s, pr_frame_type type, const pr_session_row *row, pr_error *err) {
    pr_writer w;
    pr_writer_init(&w);
    pr_row_encode(&w, &pr_session_row_spec, row);
    return log_frame(s, type, &w, err);
}

pr_status pr_store_annotate(pr_store *s, const pr_attribute *attributes, size_t n, pr_error *err) {
    for (size_t i = 0; i < n; i++) {
        PR_TRY(log_attribute(s, &attributes[i], err));
        PR_TRY(pr_hdf_write_text(s->file, s->path, attributes[i].name, attributes[i].value, err));
    }
    return PR_OK;
}

static pr_status fill_new_file(pr_store *s, const pr_attribute *attributes, size_t n, pr_error *err) {
    char version[48];
    unsigned major, minor, release_number;
    H5get_libversion(&major, &minor, &release_number);
    snprintf(version, sizeof version, "%u.%u.%u", major, minor, release_number);
    PR_TRY(pr_hdf_write_text(s->file, s->path, "format", "proverun results", err));
    PR_TRY(pr_hdf_write_text(s->file, s->path, "format_version", PR_STORE_FORMAT_VERSION, err));
    PR_TRY(pr_hdf_write_text(s->file, s->path, "HDF5_Version", version, err));
    PR_TRY(write_times(s, "file_time", err));
    PR_TRY(pr_store_annotate(s, attributes, n, err));
    for (size_t i = 0; i < PR_N_TABLES; i++)
        PR_TRY(pr_table_create(table_at(s, i), s->file, s->path, tables[i].name, tables[i].spec, tables[i].help, err));
    PR_TRY(pr_blob_create(&s->proof_data, s->file, s->path, "/proofs/data", "proofs, one behind the other", err));
    PR_TRY(pr_blob_create(&s->public_data, s->file, s->path, "/public_data/data",
                          "public data of statements, one behind the other", err));
    return pr_store_commit(s, err);
}

/* journal may be NULL; it is the store's from then on, whatever happens. */
static pr_status create_file(pr_store **out, const char *path, unsigned flags, pr_journal *journal,
                             const pr_attribute *attributes, size_t n, pr_error *err) {
    pr_store *s = NULL;
    pr_status status = allocate(&s, path, err);
    if (status != PR_OK) {
        pr_journal_close(journal);
        return status;
    }
    s->journal = journal;
    s->file = H5Fcreate(path, flags, H5P_DEFAULT, H5P_DEFAULT);
    if (s->file < 0) return abandon(s, pr_hdf_fail(err, path, "cannot create the results file"));
    status = fill_new_file(s, attributes, n, err);
    if (status != PR_OK) return abandon(s, status);
    *out = s;
    return PR_OK;
}

pr_status pr_store_create(pr_store **out, const char *path, const pr_attribute *attributes, size_t n, pr_error *err) {
    char log[4096];
    pr_journal *journal = NULL;
    *out = NULL;
    PR_TRY(journal_path(log, sizeof log, path, err));
    PR_TRY(pr_journal_create(&journal, log, err));
    pr_hdf_init(); /* before H5F_ACC_EXCL, which starts the library */
    return create_file(out, path, H5F_ACC_EXCL, journal, attributes, n, err);
}

static pr_status load_known(pr_store *s, pr_error *err) {
    pr_job_row row;
    for (uint64_t i = 0; i < s->jobs.n; i++) {
        PR_TRY(pr_table_read(&s->jobs, &row, i, 1, err));
        (void)pr_row_sanitize(&pr_job_row_spec, &row);
        PR_TRY(grow_known(s, err));
        if (row.id[0]) add_known(s, row.id, i, row.outcome);
    }
    return PR_OK;
}

static bool has_parts(const pr_store *s, const char *id) {
    const known *k = find_known(s, id);
    return k && (pr_outcome_is_done(k->outcome) || k->outcome == PR_OUTCOME_REJECTED);
}

/* Drops rows at the end whose job never got its row in /jobs. Every row struct but the session's begins with id[128].
 */
static pr_status trim_table(pr_store *s, pr_table *t, bool any_row, pr_error *err) {
    union {
        pr_param_row param;
        pr_output_row output;
        pr_proof_row proof;
        pr_public_row public_row;
    } row;
    uint64_t n = t->n;
    while (n > 0) {
        PR_TRY(pr_table_read(t, &row, n - 1, 1, err));
        (void)pr_row_sanitize(t->spec, &row);
        if (any_row ? find_known(s, row.param.id) != NULL : has_parts(s, row.param.id)) break;
        n--;
    }
    return n < t->n ? pr_table_truncate(t, n, err) : PR_OK;
}

static pr_status trim(pr_store *s, pr_error *err) {
    PR_TRY(trim_table(s, &s->params, true, err));
    PR_TRY(trim_table(s, &s->outputs, false, err));
    PR_TRY(trim_table(s, &s->proofs, false, err));
    return trim_table(s, &s->publics, false, err);
}

static pr_status open_parts(pr_store *s, pr_error *err) {
    char *version = pr_hdf_read_text(s->file, "format_version", NULL);
    bool known_version = version && strcmp(version, PR_STORE_FORMAT_VERSION) == 0;
    free(version);
    if (!known_version)
        return pr_fail(err, PR_ERR_MALFORMED, "%s: not a results file of format version " PR_STORE_FORMAT_VERSION,
                       s->path);
    for (size_t i = 0; i < PR_N_TABLES; i++)
        PR_TRY(pr_table_open(table_at(s, i), s->file, s->path, tables[i].name, tables[i].spec, err));
    PR_TRY(pr_blob_open(&s->proof_data, s->file, s->path, "/proofs/data", err));
    PR_TRY(pr_blob_open(&s->public_data, s->file, s->path, "/public_data/data", err));
    PR_TRY(load_known(s, err));
    return trim(s, err);
}

pr_status pr_store_reopen(pr_store **out, const char *path, pr_error *err) {
    char log[4096];
    pr_store *s = NULL;
    *out = NULL;
    PR_TRY(journal_path(log, sizeof log, path, err));
    PR_TRY(allocate(&s, path, err));
    if (access(log, F_OK) == 0) {
        pr_status opened = pr_journal_open(&s->journal, log, NULL, NULL, err);
        if (opened != PR_OK) return abandon(s, opened);
    }
    s->file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    if (s->file < 0) return abandon(s, pr_hdf_fail(err, path, "cannot open the results file for writing"));
    pr_status status = open_parts(s, err);
    if (status != PR_OK) return abandon(s, status);
    *out = s;
    return PR_OK;
}

/* ---- appending ---- */

static pr_status put_bytes(pr_store *s, const pr_record *record, pr_error *err) {
    const pr_job_row *row = &record->row;
    pr_proof_row proof = {.offset = s->proof_data.size, .length = row->proof_compressed_bytes, .codec = "zstd"};
    pr_public_row public_row = {.offset = s->public_data.size, .length = row->public_bytes};
    pr_row_set_text(proof.id, sizeof proof.id, row->id);
    pr_row_set_text(proof.hash, sizeof proof.hash, row->proof_hash);
    pr_row_set_text(public_row.id, sizeof public_row.id, row->id);
    PR_TRY(pr_blob_append(&s->proof_data, record->proof, row->proof_compressed_bytes, err));
    PR_TRY(pr_blob_append(&s->public_data, record->public_data, row->public_bytes, err));
    PR_TRY(pr_table_append(&s->proofs, &proof, 1, err));
    return pr_table_append(&s->publics, &public_row, 1, err);
}

pr_status pr_store_put(pr_store *s, const pr_record *record, pr_error *err) {
    const known *before = find_known(s, record->row.id);
    PR_ASSERT(record->row.id[0] && !(before && pr_outcome_is_done(before->outcome)));
    PR_TRY(grow_known(s, err));
    PR_TRY(log_record(s, record, err));
    before = find_known(s, record->row.id);
    if (!before) PR_TRY(pr_table_append(&s->params, record->params, record->n_params, err));
    PR_TRY(pr_table_append(&s->outputs, record->outputs, record->n_outputs, err));
    if (record->proof && record->row.proof_compressed_bytes) PR_TRY(put_bytes(s, record, err));
    uint64_t at = before ? before->row : s->jobs.n;
    if (before)
        PR_TRY(pr_table_write(&s->jobs, at, &record->row, err));
    else
        PR_TRY(pr_table_append(&s->jobs, &record->row, 1, err));
    add_known(s, record->row.id, at, record->row.outcome);
    return PR_OK;
}

/* The journal first: it is what a commit promises. The file follows, for those who read it meanwhile. */
pr_status pr_store_commit(pr_store *s, pr_error *err) {
    if (s->journal) PR_TRY(pr_journal_sync(s->journal, err));
    if (H5Fflush(s->file, H5F_SCOPE_LOCAL) < 0) return pr_hdf_fail(err, s->path, "cannot write the results file");
    int *handle = NULL;
    if (H5Fget_vfd_handle(s->file, H5P_DEFAULT, (void **)&handle) < 0 || !handle)
        return pr_hdf_fail(err, s->path, "no file handle");
    if (fsync(*handle) != 0 && errno != EINVAL && errno != EROFS)
        return pr_fail(err, PR_ERR_IO, "%s: fsync: %s", s->path, strerror(errno));
    return PR_OK;
}

pr_status pr_store_begin_session(pr_store *s, const pr_session_row *row, pr_error *err) {
    pr_session_row numbered = *row;
    PR_TRY(log_session(s, PR_FRAME_SESSION_BEGIN, row, err));
    snprintf(numbered.id, sizeof numbered.id, "%llu", (unsigned long long)s->sessions.n + 1);
    PR_TRY(pr_table_append(&s->sessions, &numbered, 1, err));
    return pr_store_commit(s, err);
}

pr_status pr_store_end_session(pr_store *s, const pr_session_row *row, pr_error *err) {
    pr_session_row numbered = *row;
    PR_ASSERT(s->sessions.n > 0);
    PR_TRY(log_session(s, PR_FRAME_SESSION_END, row, err));
    snprintf(numbered.id, sizeof numbered.id, "%llu", (unsigned long long)s->sessions.n);
    PR_TRY(pr_table_write(&s->sessions, s->sessions.n - 1, &numbered, err));
    PR_TRY(write_times(s, NULL, err));
    return pr_store_commit(s, err);
}

uint64_t pr_store_bytes(const pr_store *s) {
    hsize_t size = 0;
    return H5Fget_filesize(s->file, &size) < 0 ? 0 : size;
}

pr_status pr_store_close(pr_store *s, pr_error *err) {
    if (!s) return PR_OK;
    pr_status status = pr_store_commit(s, err);
    hid_t file = s->file;
    char path[1024];
    snprintf(path, sizeof path, "%s", s->path);
    release(s);
    if (H5Fclose(file) < 0 && status == PR_OK) status = pr_hdf_fail(err, path, "cannot close the results file");
    return status;
}

/* ---- rebuilding ---- */

static pr_status replay_attribute(pr_store *s, const uint8_t *payload, size_t size, pr_error *err) {
    pr_reader r;
    pr_reader_init(&r, payload, size);
    char *texts[2] = {NULL, NULL};
    for (int k = 0; k < 2; k++) {
        uint64_t n = pr_read_u64(&r);
        const uint8_t *text = pr_read_borrow(&r, (size_t)n);
        if (text) texts[k] = strndup((const char *)text, (size_t)n);
    }
    pr_status status = PR_OK;
    if (!pr_reader_done(&r) || !texts[0] || !texts[1])
        status = pr_fail(err, PR_ERR_MALFORMED, "%s: an attribute in the journal does not decode", s->path);
    else
        status = pr_hdf_write_text(s->file, s->path, texts[0], texts[1], err);
    free(texts[0]);
    free(texts[1]);
    return status;
}

static pr_status replay_record(pr_store *s, const uint8_t *payload, size_t size, pr_error *err) {
    pr_record record;
    PR_TRY(pr_record_decode(&record, payload, size, err));
    pr_status status = pr_store_put(s, &record, err);
    pr_record_clear(&record);
    return status;
}

static pr_status replay_session(pr_store *s, uint32_t type, const uint8_t *payload, size_t size, pr_error *err) {
    pr_session_row row;
    pr_reader r;
    pr_reader_init(&r, payload, size);
    pr_row_decode(&r, &pr_session_row_spec, &row);
    if (!pr_reader_done(&r) || (type == PR_FRAME_SESSION_END && !s->sessions.n))
        return pr_fail(err, PR_ERR_MALFORMED, "%s: a session in the journal does not decode", s->path);
    return type == PR_FRAME_SESSION_BEGIN ? pr_store_begin_session(s, &row, err) : pr_store_end_session(s, &row, err);
}

static pr_status replay(void *store, uint32_t type, const uint8_t *payload, size_t size, pr_error *err) {
    pr_store *s = store;
    switch ((pr_frame_type)type) {
    case PR_FRAME_ATTRIBUTE:
        return replay_attribute(s, payload, size, err);
    case PR_FRAME_RECORD:
        return replay_record(s, payload, size, err);
    case PR_FRAME_SESSION_BEGIN:
    case PR_FRAME_SESSION_END:
        return replay_session(s, type, payload, size, err);
    }
    return pr_fail(err, PR_ERR_MALFORMED, "%s: the journal has a frame of unknown type %u", s->path, type);
}

static pr_status rebuild(const char *path, const char *fresh, const char *log, pr_error *err) {
    pr_store *s = NULL;
    pr_journal *journal = NULL;
    pr_hdf_init(); /* before H5F_ACC_TRUNC, which starts the library */
    PR_TRY(create_file(&s, fresh, H5F_ACC_TRUNC, NULL, NULL, 0, err));
    pr_status status = pr_journal_open(&journal, log, replay, s, err);
    pr_status closed = pr_store_close(s, status == PR_OK ? err : NULL);
    if (status == PR_OK) status = closed;
    if (status == PR_OK && rename(fresh, path) != 0)
        status = pr_fail(err, PR_ERR_IO, "%s: cannot take the rebuilt file's place: %s", path, strerror(errno));
    if (status != PR_OK) unlink(fresh);
    pr_journal_close(journal); /* held until the file is in place */
    return status;
}

pr_status pr_store_repair(bool *rebuilt, const char *path, pr_error *err) {
    char log[4096], fresh[4096];
    *rebuilt = false;
    PR_TRY(journal_path(log, sizeof log, path, err));
    if (access(log, F_OK) != 0) return PR_OK;
    int n = snprintf(fresh, sizeof fresh, "%s.rebuilt", path);
    if (n < 0 || (size_t)n >= sizeof fresh) return pr_fail(err, PR_ERR_USAGE, "%s: the path is too long", path);
    PR_TRY(rebuild(path, fresh, log, err));
    *rebuilt = true;
    return PR_OK;
}
