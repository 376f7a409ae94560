#include "cluster/startup.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pr_status pr_startup_manifest(pr_manifest *m, const pr_run_options *o, pr_error *err) {
    pr_writer report;
    pr_writer_init(&report);
    pr_status status = pr_manifest_load(m, o->manifest_path, o->types, &report, err);
    if (o->log == PR_LOG_JSON && status != PR_OK) {
        pr_write_u8(&report, 0);
        for (char *line = report.failed ? NULL : strtok((char *)report.data, "\n"); line; line = strtok(NULL, "\n"))
            pr_log(PR_LOG_ERROR, "manifest", "%s", line);
    } else if (status != PR_OK && !report.failed) {
        fwrite(report.data, 1, report.size, stderr);
    }
    if (report.size && !report.failed) err->text[0] = 0;
    pr_writer_clear(&report);
    return status;
}

typedef struct roll {
    pr_startup *s;
    pr_transport *t;
    const pr_manifest *m;
    const pr_hash *run_digest;
    int n_ready;
    bool warned;
} roll;

static void add_host(pr_startup *s, const char *host) {
    size_t n = strlen(host), at = strlen(s->hosts);
    for (const char *p = s->hosts; (p = strstr(p, host)); p += n)
        if ((p == s->hosts || p[-1] == ',') && (p[n] == ',' || p[n] == 0)) return;
    snprintf(s->hosts + at, sizeof s->hosts - at, "%s%s", at ? "," : "", host);
}

static void warn_of_binding(roll *r, const char *host) {
    if (r->warned) return;
    r->warned = true;
    pr_log(
        PR_LOG_WARN, "run",
        "ranks on %s are bound to one core each while other cores idle (mpirun's default); start with mpirun --bind-to "
        "none, or with --map-by slot:PE=N for N cores a rank",
        host);
}

static pr_status on_hello(roll *r, int from, const pr_wire_hello *hello, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_MANIFEST};
    if (strcmp(hello->version, PR_VERSION) != 0)
        return pr_fail(err, PR_ERR_MPI, "rank %d on %s runs version %s, rank 0 runs %s", from, hello->host,
                       hello->version, PR_VERSION);
    add_host(r->s, hello->host);
    if (hello->bound_to_one_core) warn_of_binding(r, hello->host);
    if (hello->threads > r->s->threads) r->s->threads = hello->threads;
    m.as.manifest =
        (pr_wire_manifest){r->m->path, r->m->base_dir, r->m->text, r->m->text_size, r->m->digest, *r->run_digest};
    return pr_transport_send(r->t, from, &m, err);
}

static pr_status on_ready(roll *r, int from, const pr_wire_ready *ready, pr_error *err) {
    if (ready->status != PR_OK) return pr_fail(err, PR_ERR_MPI, "rank %d: %s", from, ready->reason);
    if (ready->n_jobs != r->m->n_jobs)
        return pr_fail(err, PR_ERR_MPI, "rank %d finds %u jobs in the manifest, rank 0 finds %zu", from, ready->n_jobs,
                       r->m->n_jobs);
    r->n_ready++;
    return PR_OK;
}

static pr_status handle(roll *r, int from, const pr_wire *m, pr_error *err) {
    switch (m->type) {
    case PR_WIRE_HELLO:
        return on_hello(r, from, &m->as.hello, err);
    case PR_WIRE_READY:
        return on_ready(r, from, &m->as.ready, err);
    default:
        return pr_fail(err, PR_ERR_MPI, "rank %d began with a %s message", from, pr_wire_type_name(m->type));
    }
}

static pr_status await(roll *r, pr_error *err) {
    while (r->n_ready < r->t->size - 1) {
        bool got;
        int from;
        uint8_t *buffer;
        pr_wire message;
        PR_TRY(pr_transport_poll(r->t, &got, &from, &message, &buffer, err));
        if (!got) {
            pr_transport_idle(r->t);
            continue;
        }
        pr_status status = handle(r, from, &message, err);
        pr_wire_clear(&message);
        free(buffer);
        if (status != PR_OK) return status;
    }
    return PR_OK;
}

pr_status pr_startup_ranks(pr_startup *s, pr_transport *t, const pr_manifest *m, const pr_hash *run_digest,
                           const pr_host *host, pr_error *err) {
    memset(s, 0, sizeof *s);
    roll r = {.s = s, .t = t, .m = m, .run_digest = run_digest};
    add_host(s, host->host);
    if (host->bound_to_one_core && t->size == 1) warn_of_binding(&r, host->host);
    if (t->size == 1) s->threads = host->threads;
    PR_TRY(await(&r, err));
    pr_writer topology;
    pr_writer_init(&topology);
    pr_host_describe(&topology);
    pr_write_u8(&topology, 0);
    if (topology.failed) return pr_fail(err, PR_ERR_MEMORY, "out of memory at the start");
    s->topology = (char *)topology.data; /* the writer's memory, ours from now on */
    return PR_OK;
}

void pr_startup_clear(pr_startup *s) { free(s->topology); }
