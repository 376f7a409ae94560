/* Reading a results file, whatever became of it. */
#include "store/store.h"
#include "base/clock.h"
#include "store/product.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define PR_READER_WAIT_NS ((uint64_t)10 * 1000000000u)

typedef struct rows {
    const pr_row_spec *spec;
    char *data;
    char **sorted; /* by id, file order within one id */
    size_t n;
} rows;

typedef struct attribute {
    char *name, *value;
} attribute;

struct pr_results {
    hid_t file;
    char *path;
    int lock; /* keeps the writer of the file waiting; -1: none */
    rows tables[PR_TABLES];
    pr_blob blobs[PR_BLOBS];
    attribute *attributes;
    size_t n_attributes;
    pr_writer problems; /* 0-terminated at the end of open */
};

static void note(pr_results *r, const pr_error *e) { pr_write_format(&r->problems, "%s\n", e->text); }

/* Keeps readable rows: a damaged chunk costs its own rows only. */
static void load_chunks(pr_results *r, rows *out, const pr_table *t) {
    uint64_t chunk = pr_table_chunk_rows(t->spec);
    for (uint64_t first = 0; first < t->n; first += chunk) {
        size_t n = (size_t)(t->n - first < chunk ? t->n - first : chunk);
        pr_error e = {0};
        char *at = out->data + out->n * t->spec->row_bytes;
        pr_store_guard_step();
        if (pr_table_read(t, at, first, n, &e) != PR_OK) {
            (void)pr_fail_context(&e, "rows %llu to %llu of %s are unreadable", (unsigned long long)first,
                                  (unsigned long long)(first + n - 1), t->name);
            note(r, &e);
            continue;
        }
        for (size_t i = 0; i < n; i++)
            if (!pr_row_sanitize(t->spec, at + i * t->spec->row_bytes))
                pr_write_format(&r->problems, "%s: row %llu of %s holds values that no run writes\n", r->path,
                                (unsigned long long)(first + i), t->name);
        out->n += n;
    }
}

/* Every row struct begins with its id. */
static int compare_rows(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int order = strcmp(x, y);
    return order ? order : (x > y) - (x < y);
}

static void sort_rows(pr_results *r, rows *t) {
    t->sorted = malloc((t->n ? t->n : 1) * sizeof *t->sorted);
    if (!t->sorted) {
        pr_write_format(&r->problems, "%s: out of memory\n", r->path);
        t->n = 0;
        return;
    }
    for (size_t i = 0; i < t->n; i++) t->sorted[i] = t->data + i * t->spec->row_bytes;
    qsort(t->sorted, t->n, sizeof *t->sorted, compare_rows);
}

static void load_rows(pr_results *r, rows *out, const char *name, const pr_row_spec *spec) {
    pr_table t = {0};
    pr_error e = {0};
    out->spec = spec;
    pr_store_guard_step();
    if (pr_table_open(&t, r->file, r->path, name, spec, &e) != PR_OK) {
        note(r, &e);
    } else if (!(out->data = calloc(t.n ? t.n : 1, spec->row_bytes))) {
        pr_write_format(&r->problems, "%s: out of memory for %s\n", r->path, name);
    } else {
        load_chunks(r, out, &t);
    }
    pr_table_close(&t);
    sort_rows(r, out);
}

static void note_repeated_ids(pr_results *r) {
    const rows *jobs = &r->tables[PR_TABLE_JOBS];
    for (size_t i = 0; i < jobs->n; i++) {
        const char *id = jobs->sorted[i];
        if (!id[0] || (i > 0 && strcmp(id, jobs->sorted[i - 1]) == 0))
            pr_write_format(&r->problems, "%s: a row of /jobs has %s id%s%s\n", r->path, id[0] ? "another row's" : "no",
                            id[0] ? ": " : "", id);
    }
}

static void load_blob(pr_results *r, pr_blob *b, const char *name) {
    pr_error e = {0};
    pr_store_guard_step();
    if (pr_blob_open(b, r->file, r->path, name, &e) != PR_OK) note(r, &e);
}

static herr_t add_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context) {
    pr_results *r = context;
    (void)info;
    char *value = pr_hdf_read_text(object, name, NULL);
    attribute *grown = realloc(r->attributes, (r->n_attributes + 1) * sizeof *grown);
    if (grown) r->attributes = grown;
    char *copy = strdup(name);
    if (!value || !grown || !copy) {
        if (!value) pr_write_format(&r->problems, "%s: attribute %s is unreadable\n", r->path, name);
        free(value);
        free(copy);
        return 0;
    }
    r->attributes[r->n_attributes++] = (attribute){copy, value};
    return 0;
}

static pr_status load(pr_results *r, pr_error *err) {
    H5Aiterate2(r->file, H5_INDEX_NAME, H5_ITER_INC, NULL, add_attribute, r);
    const char *version = pr_results_attribute(r, "format_version");
    if (!version || strcmp(version, PR_STORE_FORMAT_VERSION) != 0)
        return pr_fail(err, PR_ERR_MALFORMED,
                       "%s: not a results file of format version " PR_STORE_FORMAT_VERSION " (found %s)", r->path,
                       version ? version : "none");
    for (int t = 0; t < PR_TABLES; t++)
        if (t < PR_TABLE_VOTES ||
            H5Lexists(r->file, pr_table_plans[t].name, H5P_DEFAULT) > 0) /* older ones have none */
            load_rows(r, &r->tables[t], pr_table_plans[t].name, pr_table_plans[t].spec);
    note_repeated_ids(r);
    for (int k = 0; k < PR_BLOBS; k++)
        if (k < PR_BLOB_SIGNED || H5Lexists(r->file, pr_blob_names[k], H5P_DEFAULT) > 0)
            load_blob(r, &r->blobs[k], pr_blob_names[k]);
    pr_write_u8(&r->problems, 0);
    return r->problems.failed ? pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", r->path) : PR_OK;
}

/* A writer holds its lock for the time of a flush. Who cannot have the lock reads without it. */
static int lock_file(const char *path) {
    const struct timespec pause = {0, 5000000};
    uint64_t begin = pr_clock_monotonic_ns();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && pr_clock_monotonic_ns() - begin < PR_READER_WAIT_NS)
        nanosleep(&pause, NULL);
    return fd;
}

pr_status pr_results_open(pr_results **out, const char *path, pr_error *err) {
    *out = NULL;
    pr_hdf_init();
    pr_results *r = calloc(1, sizeof *r);
    if (!r || !(r->path = strdup(path))) {
        free(r);
        return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", path);
    }
    pr_writer_init(&r->problems);
    r->lock = lock_file(path);
    r->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    pr_status status = r->file < 0 ? pr_hdf_fail(err, path, "cannot open the results file") : load(r, err);
    if (status == PR_OK)
        *out = r;
    else
        pr_results_close(r);
    H5Eclear2(H5E_DEFAULT);
    return status;
}

static void free_rows(rows *t) {
    free(t->data);
    free(t->sorted);
}

void pr_results_close(pr_results *r) {
    if (!r) return;
    for (int t = 0; t < PR_TABLES; t++) free_rows(&r->tables[t]);
    for (int k = 0; k < PR_BLOBS; k++) pr_blob_close(&r->blobs[k]);
    for (size_t i = 0; i < r->n_attributes; i++) {
        free(r->attributes[i].name);
        free(r->attributes[i].value);
    }
    free(r->attributes);
    pr_writer_clear(&r->problems);
    if (r->file >= 0) H5Fclose(r->file);
    if (r->lock >= 0) close(r->lock);
    free(r->path);
    free(r);
}

const char *pr_results_problems(const pr_results *r) { return (const char *)r->problems.data; }

static const void *row_at(const pr_results *r, pr_place table, size_t i) {
    return r->tables[table].data + i * r->tables[table].spec->row_bytes;
}

size_t pr_results_n_jobs(const pr_results *r) { return r->tables[PR_TABLE_JOBS].n; }
size_t pr_results_n_sessions(const pr_results *r) { return r->tables[PR_TABLE_SESSIONS].n; }
size_t pr_results_n_events(const pr_results *r) { return r->tables[PR_TABLE_EVENTS].n; }
size_t pr_results_n_samples(const pr_results *r) { return r->tables[PR_TABLE_METRICS].n; }
const pr_job_row *pr_results_job(const pr_results *r, size_t i) { return row_at(r, PR_TABLE_JOBS, i); }
const pr_session_row *pr_results_session(const pr_results *r, size_t i) { return row_at(r, PR_TABLE_SESSIONS, i); }
const pr_event_row *pr_results_event(const pr_results *r, size_t i) { return row_at(r, PR_TABLE_EVENTS, i); }
const pr_sample_row *pr_results_sample(const pr_results *r, size_t i) { return row_at(r, PR_TABLE_METRICS, i); }

/* First of the sorted rows whose id is not before id. */
static size_t lower_bound(const rows *t, const char *id) {
    size_t low = 0, high = t->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(t->sorted[middle], id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t rows_of(const rows *t, const char *id, const void **out, size_t capacity) {
    size_t n = 0;
    for (size_t i = lower_bound(t, id); i < t->n && strcmp(t->sorted[i], id) == 0; i++, n++)
        if (n < capacity) out[n] = t->sorted[i];
    return n;
}

static const void *last_row_of(const rows *t, const char *id) {
    const void *last = NULL;
    for (size_t i = lower_bound(t, id); i < t->n && strcmp(t->sorted[i], id) == 0; i++) last = t->sorted[i];
    return last;
}

size_t pr_results_params(const pr_results *r, const char *id, const pr_param_row **out, size_t capacity) {
    return rows_of(&r->tables[PR_TABLE_PARAMS], id, (const void **)out, capacity);
}

size_t pr_results_outputs(const pr_results *r, const char *id, const pr_output_row **out, size_t capacity) {
    return rows_of(&r->tables[PR_TABLE_OUTPUTS], id, (const void **)out, capacity);
}

size_t pr_results_history(const pr_results *r, const char *id, const pr_attempt_row **out, size_t capacity) {
    return rows_of(&r->tables[PR_TABLE_ATTEMPTS], id, (const void **)out, capacity);
}

const pr_proof_row *pr_results_proof(const pr_results *r, const char *id) {
    return last_row_of(&r->tables[PR_TABLE_PROOFS], id);
}

static pr_status read_bytes(const pr_blob *b, uint8_t **out, size_t *size, uint64_t offset, uint64_t length,
                            uint64_t max, pr_error *err) {
    pr_store_guard_step();
    if (b->dataset <= 0 || length > max) return pr_fail(err, PR_ERR_MALFORMED, "it is not in the file");
    PR_TRY(pr_blob_read(b, out, offset, length, err));
    *size = (size_t)length;
    return PR_OK;
}

pr_status pr_results_read_proof(const pr_results *r, const char *id, uint8_t **out, size_t *size, pr_error *err) {
    const pr_proof_row *row = pr_results_proof(r, id);
    *out = NULL;
    if (!row) return pr_fail(err, PR_ERR_MALFORMED, "the proof is not in the file");
    return read_bytes(&r->blobs[PR_BLOB_PROOFS], out, size, row->offset, row->length, PR_RECORD_MAX_PROOF, err);
}

pr_status pr_results_read_public(const pr_results *r, const char *id, uint8_t **out, size_t *size, pr_error *err) {
    const pr_public_row *row = last_row_of(&r->tables[PR_TABLE_PUBLICS], id);
    *out = NULL;
    if (!row) return pr_fail(err, PR_ERR_MALFORMED, "the public data is not in the file");
    return read_bytes(&r->blobs[PR_BLOB_PUBLICS], out, size, row->offset, row->length, PR_RECORD_MAX_PUBLIC, err);
}

const void *pr_results_vote_rows(const pr_results *r, pr_vote_table table, size_t *n) {
    *n = r->tables[PR_TABLE_VOTES + table].n;
    return r->tables[PR_TABLE_VOTES + table].data;
}

bool pr_results_has_column(const pr_results *r, pr_vote_table table, const char *name) {
    hid_t dataset = H5Dopen2(r->file, pr_table_plans[PR_TABLE_VOTES + table].name, H5P_DEFAULT);
    hid_t type = dataset >= 0 ? H5Dget_type(dataset) : -1;
    bool has = type >= 0 && H5Tget_class(type) == H5T_COMPOUND && H5Tget_member_index(type, name) >= 0;
    if (type >= 0) H5Tclose(type);
    if (dataset >= 0) H5Dclose(dataset);
    return has;
}

pr_status pr_results_read_signed(const pr_results *r, uint64_t offset, uint64_t length, uint8_t **out, size_t *size,
                                 pr_error *err) {
    *out = NULL;
    return read_bytes(&r->blobs[PR_BLOB_SIGNED], out, size, offset, length, PR_RECORD_MAX_SIGNED, err);
}

/* NULL when there are none. */
static pr_status copy_rows(void **out, const rows *t, const char *id, size_t *n, size_t max, pr_error *err) {
    size_t bytes = t->spec->row_bytes, first = lower_bound(t, id);
    *out = NULL;
    *n = 0;
    size_t count = rows_of(t, id, NULL, 0);
    if (count > max) return pr_fail(err, PR_ERR_MALFORMED, "too many parts");
    if (count && !(*out = malloc(count * bytes))) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a job's parts");
    for (size_t i = 0; i < count; i++) memcpy((char *)*out + i * bytes, t->sorted[first + i], bytes);
    *n = count;
    return PR_OK;
}

/* Public data is kept with a proof only. */
static pr_status load_bytes(const pr_results *r, pr_record *out, pr_error *err) {
    const pr_job_row *row = &out->row;
    const pr_proof_row *proof = pr_results_proof(r, row->id);
    size_t size = 0;
    if (row->proof_compressed_bytes == 0) {
        out->row.public_bytes = 0;
        return PR_OK;
    }
    PR_TRY(pr_results_read_public(r, row->id, &out->public_data, &size, err));
    if (size != row->public_bytes) return pr_fail(err, PR_ERR_MALFORMED, "size of the public data differs");
    PR_TRY(pr_results_read_proof(r, row->id, &out->proof, &size, err));
    if (size != row->proof_compressed_bytes) return pr_fail(err, PR_ERR_MALFORMED, "size of the proof differs");
    const char *codec = row->encrypted_to[0] ? "sealed" : "zstd";
    if (strcmp(proof->hash, row->proof_hash) != 0 || strcmp(proof->codec, codec) != 0)
        return pr_fail(err, PR_ERR_MALFORMED, "hash or codec in /proofs/index differs");
    return PR_OK;
}

static pr_status load_parts(const pr_results *r, pr_record *out, pr_error *err) {
    const char *id = out->row.id;
    const rows *t = r->tables;
    void *params, *outputs, *history;
    PR_TRY(load_bytes(r, out, err));
    pr_status status = copy_rows(&params, &t[PR_TABLE_PARAMS], id, &out->n_params, PR_RECORD_MAX_PARAMS, err);
    out->params = params;
    PR_TRY(status);
    status = copy_rows(&outputs, &t[PR_TABLE_OUTPUTS], id, &out->n_outputs, PR_RECORD_MAX_OUTPUTS, err);
    out->outputs = outputs;
    PR_TRY(status);
    status = copy_rows(&history, &t[PR_TABLE_ATTEMPTS], id, &out->n_history, PR_RECORD_MAX_HISTORY, err);
    out->history = history;
    return status;
}

pr_status pr_results_load(const pr_results *r, const pr_job_row *row, pr_record *out, pr_error *err) {
    memset(out, 0, sizeof *out);
    out->row = *row;
    pr_status status = load_parts(r, out, err);
    if (status != PR_OK) pr_record_clear(out);
    return status;
}

const char *pr_results_attribute(const pr_results *r, const char *name) {
    for (size_t i = 0; i < r->n_attributes; i++)
        if (strcmp(r->attributes[i].name, name) == 0) return r->attributes[i].value;
    return NULL;
}

size_t pr_results_n_attributes(const pr_results *r) { return r->n_attributes; }

void pr_results_attribute_at(const pr_results *r, size_t i, const char **name, const char **value) {
    *name = r->attributes[i].name;
    *value = r->attributes[i].value;
}
