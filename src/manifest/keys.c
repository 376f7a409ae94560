/* Public keys of encrypt_to. */
#include "manifest/manifest.h"
#include "starkcurve/key_file.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

static pr_status read_key(pr_manifest_job *job, const pr_manifest *m, pr_error *err) {
    char path[PATH_MAX];
    const char *text = job->encrypt_to;
    if (strncmp(text, "0x", 2) != 0 && text[0] != '/') {
        int n = snprintf(path, sizeof path, "%s/%s", m->base_dir, text);
        if (n < 0 || (size_t)n >= sizeof path)
            return pr_fail(err, PR_ERR_USAGE, "the path of the public key is longer than %d bytes", PATH_MAX - 1);
        text = path;
    }
    return pr_public_key_read(job->encrypt_key, text, err);
}

/* The jobs of a sweep, and those that take it from defaults, share one text: it is read once in a row. */
pr_status pr_manifest_read_keys(pr_manifest *m, pr_writer *report, pr_error *err) {
    const pr_manifest_job *last = NULL;
    for (size_t i = 0; i < m->n_jobs; i++) {
        pr_manifest_job *job = &m->jobs[i];
        pr_error e = {0};
        if (!job->encrypt_to) continue;
        if (last && last->encrypt_to == job->encrypt_to) {
            memcpy(job->encrypt_key, last->encrypt_key, sizeof job->encrypt_key);
        } else if (read_key(job, m, &e) != PR_OK) {
            (void)pr_fail_at(err, PR_ERR_USAGE, m->path, job->line, job->column, "encrypt_to of job `%s`: %s", job->id,
                             e.text);
            if (report && err) pr_write_format(report, "%s\n", err->text);
            return PR_ERR_USAGE;
        }
        last = job;
    }
    return PR_OK;
}
