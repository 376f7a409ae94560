/* Own proofs on this rank's disk while they are not decided, so that a run that was killed can go on with the rounds
 * that were open: beside its record of votes, .JOB-ATTEMPT.proof behind that one's name. Not synced: what a kill of
 * processes leaves is enough, and a proof that a failing machine takes with it was not acknowledged. */
#include "cluster/voter_internal.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PR_SPOOL_MAX_BYTES ((size_t)1536 << 20)

static void name_of(char out[1200], const pr_voter *v, uint32_t job, uint32_t attempt) {
    snprintf(out, 1200, "%.1100s.%u-%u.proof", v->log_path, job, attempt);
}

static pr_status write_file(const char *path, const pr_writer *w, pr_error *err) {
    FILE *f = fopen(path, "we");
    bool good = f && fwrite(w->data, 1, w->size, f) == w->size;
    int why = errno;
    if (f && fclose(f) != 0 && good) {
        why = errno;
        good = false;
    }
    return good ? PR_OK : pr_fail(err, PR_ERR_IO, "%s: cannot keep a proof: %s", path, strerror(why));
}

pr_status pr_voter_spool_put(const pr_voter *v, const pr_wire_task *task, const pr_record *record, pr_error *err) {
    char path[1200];
    pr_writer w;
    name_of(path, v, task->job, task->attempt);
    pr_writer_init(&w);
    pr_record_encode(&w, record);
    pr_status status = w.failed ? pr_fail(err, PR_ERR_MEMORY, "out of memory for a proof") : write_file(path, &w, err);
    pr_writer_clear(&w);
    return status;
}

bool pr_voter_spool_get(const pr_voter *v, uint32_t job, uint32_t attempt, pr_record *record) {
    char path[1200];
    uint8_t *data = NULL;
    size_t size;
    name_of(path, v, job, attempt);
    if (access(path, R_OK) != 0 || pr_file_read(&data, &size, path, PR_SPOOL_MAX_BYTES, NULL) != PR_OK) return false;
    bool good = pr_record_decode(record, data, size, NULL) == PR_OK; /* one that was torn is none */
    free(data);
    return good;
}

void pr_voter_spool_drop(const pr_voter *v, uint32_t job, uint32_t attempt) {
    char path[1200];
    name_of(path, v, job, attempt);
    (void)unlink(path);
}

void pr_voter_spool_clear(const pr_voter *v) {
    char path[1400], folder[1200];
    const char *name = pr_file_name(v->log_path);
    snprintf(folder, sizeof folder, "%.*s", (int)(name - v->log_path), v->log_path);
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        if (strncmp(e->d_name, name, strlen(name)) != 0 || n < 6 || strcmp(e->d_name + n - 6, ".proof") != 0) continue;
        snprintf(path, sizeof path, "%.1100s%.255s", folder, e->d_name);
        (void)unlink(path);
    }
    if (d) closedir(d);
}
