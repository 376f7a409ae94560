/* Rank 1 damages what it proves; rank 2 is honest. What rank 1 made must never count: with a retry the job is approved
 * on another rank, without one it is rejected, with the reason and the evidence.
 *   mpirun -n 3 mpi_liar FOLDER */
#include "cluster/coordinator.h"
#include "cluster/host.h"
#include "work/work.h"
#include "cluster/worker.h"
#include "cpu/cpu_backend.h"
#include "store/store.h"
#include "wide_fibonacci/job.h"
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(e_)                                                                                                      \
    do {                                                                                                               \
        if (!(e_)) {                                                                                                   \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #e_);                                           \
            MPI_Abort(MPI_COMM_WORLD, 1);                                                                              \
        }                                                                                                              \
    } while (0)

static const pr_job_type *const types[] = {&pr_job_wide_fibonacci, NULL};
static const char *const manifests[] = {"liar-retry.yaml", "liar-once.yaml"};

/* Answers as a worker does, but with a flipped byte; also once for a job that nobody gave it. */
static void lie(pr_transport *t, const pr_wire_prove *task, const pr_manifest *m, const pr_hash *digest) {
    pr_wire answer = {.type = PR_WIRE_PROVED};
    const pr_work work = {pr_cpu_best(), 1, 0, 1, "liar", digest};
    answer.as.proof.job = task->job;
    answer.as.proof.attempt = task->attempt;
    CHECK(pr_work_prove(&answer.as.proof.record, &work, &m->jobs[task->job], NULL) == PR_OK);
    answer.as.proof.record.proof[answer.as.proof.record.row.proof_compressed_bytes / 2] ^= 1;
    answer.as.proof.attempt++;
    CHECK(pr_transport_send(t, 0, &answer, NULL) == PR_OK); /* not what it was given: ignored */
    answer.as.proof.attempt--;
    CHECK(pr_transport_send(t, 0, &answer, NULL) == PR_OK);
    pr_wire_clear(&answer);
}

static void say(pr_transport *t, pr_wire *m) { CHECK(pr_transport_send(t, 0, m, NULL) == PR_OK); }

static void begin(pr_transport *t) {
    pr_wire hello = {.type = PR_WIRE_HELLO};
    snprintf(hello.as.hello.host, sizeof hello.as.hello.host, "liar");
    snprintf(hello.as.hello.version, sizeof hello.as.hello.version, PR_VERSION);
    hello.as.hello.threads = 1;
    say(t, &hello);
}

static void run_liar(pr_transport *t) {
    pr_manifest m = {0};
    pr_hash digest = {{0}};
    begin(t);
    for (bool stopped = false; !stopped;) {
        bool got;
        int from;
        uint8_t *buffer;
        pr_wire message;
        CHECK(pr_transport_poll(t, &got, &from, &message, &buffer, NULL) == PR_OK);
        if (!got) {
            pr_transport_idle(t);
            continue;
        }
        if (message.type == PR_WIRE_MANIFEST) {
            pr_wire ready = {.type = PR_WIRE_READY};
            const pr_wire_manifest *given = &message.as.manifest;
            CHECK(pr_manifest_parse(&m, given->text, given->text_size, given->path, given->base_dir, types, NULL,
                                    NULL) == PR_OK);
            digest = given->run_digest;
            ready.as.ready.n_jobs = (uint32_t)m.n_jobs;
            say(t, &ready);
        } else if (message.type == PR_WIRE_PROVE) {
            lie(t, &message.as.prove, &m, &digest);
        } else if (message.type == PR_WIRE_VERIFY) { /* it accepts everything unseen */
            pr_wire verdict = {.type = PR_WIRE_VERIFIED};
            verdict.as.verified.job = message.as.proof.job;
            verdict.as.verified.attempt = message.as.proof.attempt;
            verdict.as.verified.accepted = 1;
            say(t, &verdict);
        }
        stopped = message.type == PR_WIRE_STOP;
        pr_wire_clear(&message);
        free(buffer);
    }
    bool quiet;
    CHECK(pr_transport_drain(t, 60000, &quiet, NULL) == PR_OK && quiet);
    pr_manifest_clear(&m);
}

static void check_results(const char *path, bool retried) {
    pr_results *r = NULL;
    size_t by_liar = 0;
    CHECK(pr_results_open(&r, path, NULL) == PR_OK);
    CHECK(pr_results_n_jobs(r) == 2);
    for (size_t i = 0; i < 2; i++) {
        const pr_job_row *row = pr_results_job(r, i);
        bool approved = row->outcome == PR_OUTCOME_APPROVED;
        CHECK(approved || row->outcome == PR_OUTCOME_REJECTED);
        CHECK(!(approved && row->prover_rank == 1)); /* nothing of the liar's counts */
        CHECK(row->prover_rank != row->verifier_rank);
        by_liar += row->prover_rank == 1;
        if (approved) continue;
        CHECK(row->prover_rank == 1 && strstr(row->reason, "refused the proof"));
        CHECK(pr_results_proof(r, row->id)); /* the evidence */
    }
    CHECK(by_liar == (retried ? 0 : 1));
    pr_results_close(r);
}

static void run_once(pr_transport *t, const pr_host *host, const char *folder, size_t which) {
    char manifest[1024], path[1024] = "";
    int exit_code = -1;
    bool abandoned = false;
    pr_error e = {0};
    snprintf(manifest, sizeof manifest, "%s/%s", folder, manifests[which]);
    const pr_run_options o = {.manifest_path = manifest,
                              .results_dir = folder,
                              .backend = pr_cpu_best(),
                              .types = types,
                              .command_line = "mpi_liar"};
    if (t->rank == 1) {
        run_liar(t);
    } else if (t->rank > 1) {
        CHECK(pr_worker_run(t, &o, host, &e) == PR_OK);
    } else {
        pr_status status = pr_coordinator_run(&exit_code, &abandoned, path, sizeof path, t, &o, host, &e);
        if (status != PR_OK) fprintf(stderr, "%s\n", e.text);
        CHECK(status == PR_OK && !abandoned);
        CHECK(exit_code == (which == 0 ? 0 : 1));
        for (int rank = 1; rank < t->size; rank++) {
            const pr_wire stop = {.type = PR_WIRE_STOP};
            CHECK(pr_transport_send(t, rank, &stop, NULL) == PR_OK);
        }
        bool quiet;
        CHECK(pr_transport_drain(t, 60000, &quiet, NULL) == PR_OK && quiet);
        check_results(path, which == 0);
    }
}

static void write_manifest(const char *folder, size_t which) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, manifests[which]);
    FILE *f = fopen(path, "w");
    CHECK(f);
    fprintf(f,
            "version: 1\nname: liar%zu\ndefaults: {profile: fast, retries: %d}\njobs:\n"
            "- {id: fib, type: wide_fibonacci, params: {log_rows: [9, 10], columns: 50}}\n",
            which, which == 0 ? 3 : 0);
    fclose(f);
}

int main(int argc, char **argv) {
    pr_transport t;
    pr_host host;
    MPI_Init(&argc, &argv);
    CHECK(argc == 2);
    CHECK(pr_transport_init(&t, NULL) == PR_OK && t.size == 3);
    CHECK(pr_host_init(&host, MPI_COMM_WORLD, 1, NULL) == PR_OK);
    for (size_t which = 0; which < 2; which++) {
        if (t.rank == 0) write_manifest(argv[1], which);
        MPI_Barrier(MPI_COMM_WORLD);
        run_once(&t, &host, argv[1], which);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    pr_transport_clear(&t, true);
    MPI_Finalize();
    return 0;
}
