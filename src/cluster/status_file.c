#include "cluster/status_file.h"
#include "base/bytes.h"
#include "base/clock.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PR_MAX_STATUS_FILE 65536u

bool pr_status_file_name(char *path, size_t size, const char *results) {
    size_t n = strlen(results);
    if (n < strlen(".h5")) return false;
    return (size_t)snprintf(path, size, "%.*s.status.json", (int)(n - strlen(".h5")), results) < size;
}

static json_t *describe(const pr_run_report *r, const char *manifest) {
    char now[32];
    pr_clock_iso8601(now, pr_clock_wall_ns());
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:s}", "manifest", manifest, "status", r->status,
                          "run_id", r->run_id, "results", r->results, "jobs", (int)r->n_jobs, "done", (int)r->n_done,
                          "failed", (int)r->n_failed, "reason", r->reason, "written_at", now);
    if (o) json_object_set_new(o, "exit_code", r->exit_code < 0 ? json_null() : json_integer(r->exit_code));
    return o;
}

static pr_status write_down(json_t *o, const char *path, pr_error *err) {
    char *text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
    json_decref(o);
    if (!text) return pr_fail(err, PR_ERR_MEMORY, "%s: the status cannot be written down", path);
    size_t n = strlen(text);
    text[n] = '\n'; /* in place of the 0 byte */
    pr_status status = pr_file_write_atomic(path, text, n + 1, 0644, err);
    free(text);
    return status;
}

pr_status pr_status_file_write(const char *path, const pr_run_report *report, const char *manifest, pr_error *err) {
    return write_down(describe(report, manifest), path, err);
}

/* What only rank 0 knows, how many jobs are done, is left out. */
static json_t *describe_loss(const pr_run_report *r, const char *manifest, int rank) {
    char now[32];
    pr_clock_iso8601(now, pr_clock_wall_ns());
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i}", "manifest", manifest, "status", r->status, "run_id",
                     r->run_id, "results", r->results, "reason", r->reason, "written_at", now, "written_by_rank", rank,
                     "exit_code", r->exit_code);
}

/* link() fails where there is a file. */
pr_status pr_status_file_leave(const char *path, const pr_run_report *report, const char *manifest, int rank,
                               pr_error *err) {
    char own[1200];
    snprintf(own, sizeof own, "%.1100s.rank-%d", path, rank);
    PR_TRY(write_down(describe_loss(report, manifest, rank), own, err));
    int result = link(own, path), e = errno;
    unlink(own);
    return result == 0 || e == EEXIST ? PR_OK : pr_fail(err, PR_ERR_IO, "%s: cannot create: %s", path, strerror(e));
}

bool pr_status_file_was_running(const char *path, char *results, size_t size) {
    uint8_t *data;
    size_t n;
    if (pr_file_read(&data, &n, path, PR_MAX_STATUS_FILE, NULL) != PR_OK) return false;
    json_t *o = json_loadb((const char *)data, n, 0, NULL);
    const char *status = json_string_value(json_object_get(o, "status"));
    const char *file = json_string_value(json_object_get(o, "results"));
    bool running = status && file && file[0] && (!strcmp(status, "running") || !strcmp(status, "interrupted")) &&
                   strlen(file) < size;
    if (running) memcpy(results, file, strlen(file) + 1);
    json_decref(o);
    free(data);
    return running;
}
