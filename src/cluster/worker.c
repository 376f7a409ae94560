#include "cluster/worker.h"
#include "work/work.h"
#include <stdlib.h>
#include <string.h>

typedef struct worker {
    pr_transport *t;
    const pr_run_options *o;
    const pr_host *host;
    pr_manifest manifest;
    bool has_manifest, stopped;
    pr_hash run_digest;
    pr_work work;
} worker;

static pr_status say_hello(worker *w, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_HELLO};
    pr_row_set_text(m.as.hello.host, sizeof m.as.hello.host, w->host->host);
    pr_row_set_text(m.as.hello.version, sizeof m.as.hello.version, PR_VERSION);
    m.as.hello.threads = w->host->threads;
    m.as.hello.bound_to_one_core = w->host->bound_to_one_core;
    return pr_transport_send(w->t, 0, &m, err);
}

/* The text is parsed again here: its jobs are what rank 0's indices mean. */
static pr_status take_manifest(worker *w, const pr_wire_manifest *given, pr_error *err) {
    pr_wire answer = {.type = PR_WIRE_READY};
    pr_error e = {0};
    if (w->has_manifest) return pr_fail(err, PR_ERR_MPI, "a second manifest from rank 0");
    pr_status status = pr_manifest_parse(&w->manifest, given->text, given->text_size, given->path, given->base_dir,
                                         w->o->types, NULL, &e);
    if (status == PR_OK) {
        w->has_manifest = true;
        w->run_digest = given->run_digest;
        if (!pr_hash_equal(&w->manifest.digest, &given->digest))
            status = pr_fail(&e, PR_ERR_MPI, "the manifest changed on its way");
    }
    answer.as.ready.n_jobs = w->has_manifest ? (uint32_t)w->manifest.n_jobs : 0;
    answer.as.ready.status = (uint32_t)status;
    pr_row_set_text(answer.as.ready.reason, sizeof answer.as.ready.reason, e.text);
    return pr_transport_send(w->t, 0, &answer, err);
}

static pr_status check_job(const worker *w, uint32_t job, pr_error *err) {
    if (w->has_manifest && job < w->manifest.n_jobs) return PR_OK;
    return pr_fail(err, PR_ERR_MPI, "rank 0 named job %u, which is not there", job);
}

static pr_status prove(worker *w, const pr_wire_prove *task, pr_error *err) {
    pr_wire answer = {.type = PR_WIRE_PROVED};
    pr_wire_proof *p = &answer.as.proof;
    PR_TRY(check_job(w, task->job, err));
    p->job = task->job;
    p->attempt = task->attempt;
    p->status = (uint32_t)pr_work_prove(&p->record, &w->work, &w->manifest.jobs[task->job], NULL);
    pr_status status = pr_transport_send(w->t, 0, &answer, err);
    pr_wire_clear(&answer);
    return status;
}

static pr_status verify(worker *w, const pr_wire_proof *task, pr_error *err) {
    pr_wire answer = {.type = PR_WIRE_VERIFIED};
    pr_wire_verified *v = &answer.as.verified;
    bool accepted = false;
    pr_error e = {0};
    PR_TRY(check_job(w, task->job, err));
    v->job = task->job;
    v->attempt = task->attempt;
    if (pr_work_verify(&w->work, &w->manifest.jobs[task->job], &task->record, &accepted, v->reason, sizeof v->reason,
                       &v->verify_ms, &e) != PR_OK)
        pr_row_set_text(v->reason, sizeof v->reason, e.text);
    v->accepted = accepted;
    return pr_transport_send(w->t, 0, &answer, err);
}

static pr_status handle(worker *w, const pr_wire *m, pr_error *err) {
    switch (m->type) {
    case PR_WIRE_MANIFEST:
        return take_manifest(w, &m->as.manifest, err);
    case PR_WIRE_PROVE:
        return prove(w, &m->as.prove, err);
    case PR_WIRE_VERIFY:
        return verify(w, &m->as.proof, err);
    case PR_WIRE_STOP:
        w->stopped = true;
        return PR_OK;
    default:
        return pr_fail(err, PR_ERR_MPI, "rank 0 sent a %s message", pr_wire_type_name(m->type));
    }
}

static pr_status serve(worker *w, pr_error *err) {
    bool got;
    int from;
    uint8_t *buffer;
    pr_wire message;
    PR_TRY(pr_transport_poll(w->t, &got, &from, &message, &buffer, err));
    if (!got) {
        pr_transport_idle(w->t);
        return PR_OK;
    }
    pr_status status = from == 0 ? handle(w, &message, err) : PR_OK;
    if (from != 0) pr_log(PR_LOG_WARN, "worker", "a message from rank %d is ignored", from);
    pr_wire_clear(&message);
    free(buffer);
    return status;
}

pr_status pr_worker_run(pr_transport *t, const pr_run_options *o, const pr_host *host, pr_error *err) {
    worker w = {.t = t, .o = o, .host = host};
    w.work = (pr_work){o->backend, host->threads, host->max_bytes, t->rank, host->host, &w.run_digest};
    pr_status status = say_hello(&w, err);
    while (status == PR_OK && !w.stopped) status = serve(&w, err);
    bool quiet;
    if (status == PR_OK) status = pr_transport_drain(t, 60000, &quiet, err);
    if (w.has_manifest) pr_manifest_clear(&w.manifest);
    return status;
}
