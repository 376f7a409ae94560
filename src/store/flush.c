/* What waits goes into the HDF5 file: opened, written, closed. */
#include "store/product.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define PR_LAST_WAIT_NS ((uint64_t)2 * 1000000000u)

static const char *const blob_help[PR_BLOBS] = {"proofs, one behind the other",
                                                "public data of statements, one behind the other",
                                                "votes, certificates and evidence, one behind the other"};

static pr_status write_time(const pr_product *p, hid_t file, const char *name, uint64_t ns, pr_error *err) {
    char text[32];
    pr_clock_iso8601(text, ns);
    return pr_hdf_write_text(file, p->path, name, text, err);
}

/* ---- a new file ---- */

static pr_status fill_new_file(pr_product *p, hid_t file, pr_error *err) {
    PR_TRY(pr_hdf_write_text(file, p->path, "format", "proverun results", err));
    PR_TRY(pr_hdf_write_text(file, p->path, "format_version", PR_STORE_FORMAT_VERSION, err));
    for (int i = 0; i < PR_TABLES; i++) {
        pr_table t = {0};
        const pr_table_plan *plan = &pr_table_plans[i];
        pr_status status = pr_table_create(&t, file, p->path, plan->name, plan->spec, plan->help, err);
        pr_table_close(&t);
        PR_TRY(status);
    }
    for (int i = 0; i < PR_BLOBS; i++) {
        pr_blob b = {0};
        pr_status status = pr_blob_create(&b, file, p->path, pr_blob_names[i], blob_help[i], err);
        pr_blob_close(&b);
        PR_TRY(status);
    }
    return PR_OK;
}

pr_status pr_product_create_file(pr_product *p, bool excl, pr_error *err) {
    hid_t create = H5Pcreate(H5P_FILE_CREATE);
    /* The file is closed after each flush: without this, what a grown chunk leaves behind would never be used again. */
    H5Pset_file_space_strategy(create, H5F_FSPACE_STRATEGY_FSM_AGGR, 1, 1);
    hid_t file = H5Fcreate(p->path, excl ? H5F_ACC_EXCL : H5F_ACC_TRUNC, create, H5P_DEFAULT);
    pr_status status = file < 0 ? pr_hdf_fail(err, p->path, "cannot create the results file") : PR_OK;
    H5Pclose(create); /* after the error was read: every call clears it */
    PR_TRY(status);
    status = fill_new_file(p, file, err);
    pr_status closed = pr_hdf_close(file, p->path, status == PR_OK ? err : NULL);
    return status != PR_OK ? status : closed;
}

/* ---- writing ---- */

static pr_status flush_rows(pr_product *p, hid_t file, pr_place place, pr_error *err) {
    pr_table t = {0};
    pr_waiting *w = &p->tables[place];
    if (w->n == 0) return PR_OK;
    pr_status status = pr_table_open(&t, file, p->path, pr_table_plans[place].name, pr_table_plans[place].spec, err);
    if (status == PR_OK && t.n != w->written)
        status = pr_fail(err, PR_ERR_IO, "%s: somebody else changed %s", p->path, pr_table_plans[place].name);
    if (status == PR_OK) status = pr_table_append(&t, w->rows, w->n, err);
    if (status == PR_OK) status = pr_hdf_flush(t.dataset, p->path, t.name, err);
    pr_table_close(&t);
    PR_TRY(status);
    w->written += w->n;
    w->n = 0;
    if (w->capacity > 4096) { /* not for ever as large as at the busiest moment */
        free(w->rows);
        w->rows = NULL;
        w->capacity = 0;
    }
    return PR_OK;
}

static pr_status flush_blob(pr_product *p, hid_t file, int k, pr_error *err) {
    pr_blob b = {0};
    pr_writer *w = &p->blobs[k];
    if (w->size == 0) return PR_OK;
    pr_status status = pr_blob_open(&b, file, p->path, pr_blob_names[k], err);
    if (status == PR_OK && b.size != p->blob_written[k])
        status = pr_fail(err, PR_ERR_IO, "%s: somebody else changed %s", p->path, pr_blob_names[k]);
    if (status == PR_OK) status = pr_blob_append(&b, w->data, w->size, err);
    if (status == PR_OK) status = pr_hdf_flush(b.dataset, p->path, b.name, err);
    pr_blob_close(&b);
    PR_TRY(status);
    p->blob_written[k] += w->size;
    pr_writer_clear(w);
    pr_writer_init(w);
    return PR_OK;
}

static pr_status flush_replaced(pr_product *p, hid_t file, pr_error *err) {
    pr_reader r;
    pr_reader_init(&r, p->replaced.data, p->replaced.size);
    while (r.at < r.size) {
        const pr_table_plan *plan = &pr_table_plans[pr_read_u32(&r)];
        uint64_t index = pr_read_u64(&r);
        pr_table t = {0};
        pr_status status = pr_table_open(&t, file, p->path, plan->name, plan->spec, err);
        if (status == PR_OK) status = pr_table_write(&t, index, pr_read_borrow(&r, plan->spec->row_bytes), err);
        if (status == PR_OK) status = pr_hdf_flush(t.dataset, p->path, t.name, err);
        pr_table_close(&t);
        PR_TRY(status);
    }
    p->replaced.size = 0;
    return PR_OK;
}

static pr_status flush_attributes(pr_product *p, hid_t file, pr_error *err) {
    const char *texts = (const char *)p->attributes.data;
    for (size_t at = 0; at < p->attributes.size;) {
        const char *name = texts + at, *value = name + strlen(name) + 1;
        PR_TRY(pr_hdf_write_text(file, p->path, name, value, err));
        at += strlen(name) + strlen(value) + 2;
    }
    p->attributes.size = 0;
    PR_TRY(write_time(p, file, "file_time", p->first_ns, err));
    return write_time(p, file, "file_update_time", p->last_ns, err);
}

static pr_status flush_all(pr_product *p, hid_t file, pr_error *err) {
    PR_TRY(flush_replaced(p, file, err)); /* rows that the file has; before it grows */
    for (int k = 0; k < PR_BLOBS; k++) PR_TRY(flush_blob(p, file, k, err));
    for (int t = 0; t < PR_TABLES; t++) PR_TRY(flush_rows(p, file, (pr_place)t, err));
    return flush_attributes(p, file, err);
}

static pr_status write_file(pr_product *p, pr_error *err) {
    hid_t file = H5Fopen(p->path, H5F_ACC_RDWR, H5P_DEFAULT);
    if (file < 0) return pr_hdf_fail(err, p->path, "cannot open the results file for writing");
    pr_status status = flush_all(p, file, err);
    pr_status closed = pr_hdf_close(file, p->path, status == PR_OK ? err : NULL);
    H5Eclear2(H5E_DEFAULT);
    if (status == PR_OK) status = closed;
    if (status == PR_OK) p->dirty = false;
    return status == PR_ERR_MALFORMED ? PR_ERR_IO : status;
}

/* ---- readers ---- */

static void pause_ns(long ns) {
    const struct timespec t = {0, ns};
    nanosleep(&t, NULL);
}

/* Whether to write now: readers of HDF5 hold a shared lock while they have the file open. A file system that has no
 * locks keeps nobody out. */
static bool may_write(pr_product *p, int fd, pr_patience patience) {
    uint64_t begin = pr_clock_monotonic_ns();
    if (!p->refused_ns) p->refused_ns = begin;
    for (;;) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return true;
        uint64_t now = pr_clock_monotonic_ns();
        if (patience == PR_FLUSH_LATER) return now - p->refused_ns >= PR_STORE_READER_NS;
        if (now - begin >= PR_LAST_WAIT_NS) return true;
        pause_ns(10000000);
    }
}

pr_status pr_product_flush(pr_product *p, pr_patience patience, pr_error *err) {
    if (!p->dirty) return PR_OK;
    pr_hdf_init(); /* in this thread, too */
    int fd = open(p->path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return pr_fail(err, PR_ERR_IO, "%s: cannot open the results file: %s", p->path, strerror(errno));
    pr_status status = PR_OK;
    if (may_write(p, fd, patience)) {
        status = write_file(p, err);
        p->refused_ns = 0;
    }
    close(fd);
    return status;
}

pr_status pr_product_sync(const pr_product *p, pr_error *err) {
    int fd = open(p->path, O_RDONLY | O_CLOEXEC);
    pr_status status = fd >= 0 && fsync(fd) == 0
                           ? PR_OK
                           : pr_fail(err, PR_ERR_IO, "%s: cannot sync the results file: %s", p->path, strerror(errno));
    if (fd >= 0) close(fd);
    return status == PR_OK ? pr_file_sync_folder(p->path, err) : status;
}
