/* Rank 1 damages what it proves, says it twice, then something else, sends bytes that are no message, and never votes;
 * the others are honest. What rank 1 made must never count: with a retry the job is approved on another rank, without
 * one it is rejected, with the reason and the proof. The rest are events. mpi_liars.c has ranks that lie in the
 * consensus. mpirun -n 4 mpi_liar PROVERUN FOLDER */
#include "check.h"
#include "cluster/coordinator.h"
#include "cluster/seat.h"
#include "work/work.h"
#include "cluster/worker.h"
#include "cpu/cpu_backend.h"
#include "store/store.h"
#include "wide_fibonacci/job.h"
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const pr_job_type *const types[] = {&pr_job_wide_fibonacci, NULL};
static pr_votes_config votes;
static const char *const manifests[] = {"liar-retry.yaml", "liar-once.yaml"};

#define FRAME_TAG 7 /* as in transport.c */

static void send_rubbish(pr_transport *t) {
    static const uint8_t rubbish[300] = {1, 2, 3};
    CHECK(MPI_Send(rubbish, sizeof rubbish, MPI_BYTE, 0, FRAME_TAG, t->comm) == MPI_SUCCESS);
}

/* Answers as a worker does, but with a flipped byte; also once for an attempt that nobody gave it, and it says it
 * twice, and a third time that it was another proof. */
static void lie(pr_transport *t, const pr_wire_prove *prove, const pr_manifest *m, const pr_hash *digest) {
    pr_wire answer = {.type = PR_WIRE_ANSWER};
    pr_wire_answer *a = &answer.as.answer;
    const pr_work work = {.backend = pr_cpu_best(), .threads = 1, .rank = 1, .host = "liar", .manifest_digest = digest};
    a->task = prove->task;
    a->failure = PR_WIRE_PROVED;
    CHECK(pr_work_prove(&a->record, &work, &m->jobs[prove->task.job], NULL) == PR_OK);
    a->record.proof[a->record.row.proof_compressed_bytes / 2] ^= 1;
    a->task.attempt++;
    CHECK(pr_transport_send(t, 0, &answer, NULL) == PR_OK); /* not what it was given: ignored */
    a->task.attempt--;
    CHECK(pr_transport_send(t, 0, &answer, NULL) == PR_OK);
    CHECK(pr_transport_send(t, 0, &answer, NULL) == PR_OK);
    a->record.row.proof_hash[0] = a->record.row.proof_hash[0] == '0' ? '1' : '0';
    CHECK(pr_transport_send(t, 0, &answer, NULL) == PR_OK);
    send_rubbish(t);
    pr_wire_clear(&answer);
}

static void say(pr_transport *t, pr_wire *m) { CHECK(pr_transport_send(t, 0, m, NULL) == PR_OK); }

static void begin(pr_transport *t, const pr_seat *seat) {
    pr_wire hello = {.type = PR_WIRE_HELLO};
    hello.as.hello = seat->hello;
    say(t, &hello);
}

static void take_manifest(pr_transport *t, pr_manifest *m, pr_hash *digest, const pr_wire_manifest *given) {
    pr_wire ready = {.type = PR_WIRE_READY};
    CHECK(pr_manifest_parse(m, given->text, given->text_size, given->path, given->base_dir, types, NULL, NULL) ==
          PR_OK);
    *digest = given->run_digest;
    ready.as.ready.run = given->run;
    ready.as.ready.n_jobs = (uint32_t)m->n_jobs;
    say(t, &ready);
}

static void run_liar(pr_transport *t, const pr_seat *seat) {
    pr_manifest m = {0};
    pr_hash digest = {{0}};
    const pr_wire bye = {.type = PR_WIRE_BYE};
    begin(t, seat);
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
        if (message.type == PR_WIRE_MANIFEST) take_manifest(t, &m, &digest, &message.as.manifest);
        if (message.type == PR_WIRE_PROVE) lie(t, &message.as.prove, &m, &digest);
        stopped = message.type == PR_WIRE_STOP;
        pr_wire_clear(&message);
        free(buffer);
    }
    bool quiet;
    CHECK(pr_transport_send(t, 0, &bye, NULL) == PR_OK);
    CHECK(pr_transport_end(t, true, &quiet, NULL) == PR_OK && quiet);
    pr_manifest_clear(&m);
}

static size_t count_events(const pr_results *r, pr_event_kind kind) {
    size_t n = 0;
    for (size_t i = 0; i < pr_results_n_events(r); i++) {
        const pr_event_row *e = pr_results_event(r, i);
        n += e->kind == kind && e->rank == 1;
    }
    return n;
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
    /* for each of its attempts: one that nobody gave it, the same twice, another proof, and the rubbish */
    CHECK(count_events(r, PR_EVENT_BAD_MESSAGE) >= 4);
    pr_results_close(r);
}

static void lead(pr_transport *t, const pr_run_options *o, const pr_seat *seat, size_t which) {
    pr_leader l;
    pr_run_report report;
    pr_stop_how how;
    pr_error e = {0};
    CHECK(pr_leader_init(&l, t, o, seat, &e) == PR_OK && pr_leader_gather(&l, &e) == PR_OK);
    pr_status status = pr_coordinator_run(&report, &l, o, NULL, NULL, &e);
    if (status != PR_OK) fprintf(stderr, "%s\n", e.text);
    CHECK(status == PR_OK);
    CHECK(report.exit_code == (which == 0 ? 0 : 1));
    CHECK(pr_leader_stop(&l, &how, report.exit_code, &e) == PR_OK && how == PR_STOP_IN_ORDER);
    check_results(report.results, which == 0);
    pr_leader_clear(&l);
}

static void run_once(const pr_seat *seat, const char *const *words, size_t which) {
    pr_transport t;
    char manifest[1024];
    pr_error e = {0};
    pr_wire_stop stop;
    snprintf(manifest, sizeof manifest, "%s/%s", words[2], manifests[which]);
    const pr_run_options o = {.manifest_path = manifest,
                              .results_dir = words[2],
                              .votes = &votes,
                              .coordinator_only = true,
                              .backend_name = "auto",
                              .backend = pr_cpu_best(),
                              .cpu_backend = pr_cpu_best(),
                              .types = types,
                              .command_line = "mpi_liar",
                              .child_program = words[1]};
    CHECK(pr_transport_init(&t, NULL) == PR_OK && t.size == 4);
    if (t.rank == 0)
        lead(&t, &o, seat, which);
    else if (t.rank == 1)
        run_liar(&t, seat);
    else
        CHECK(pr_worker_run(&stop, &t, &o, seat, &e) == PR_OK);
    pr_transport_clear(&t, true);
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
    int rank;
    pr_seat seat;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    CHECK(argc == 3);
    votes = pr_votes_config_defaults();
    votes.round_timeout_ms = 500; /* until the silent one is named */
    votes.view_timeout_ms = 500;
    votes.retries = 60; /* a busy machine loses a round now and then */
    const pr_seat_options options = {.proves = rank > 0, .placement = {.threads = 1}};
    CHECK(pr_seat_take(&seat, MPI_COMM_WORLD, &options, NULL) == PR_OK);
    for (size_t which = 0; which < 2; which++) {
        if (rank == 0) write_manifest(argv[2], which);
        MPI_Barrier(MPI_COMM_WORLD);
        run_once(&seat, (const char *const *)argv, which);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    pr_seat_clear(&seat);
    MPI_Finalize();
    return 0;
}
