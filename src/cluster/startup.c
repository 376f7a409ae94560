#include "cluster/startup.h"
#include "cluster/roster.h"
#include "base/clock.h"
#include "cluster/forecast.h"
#include "cluster/lots.h"
#include "job/estimate.h"
#include "manifest/calibration.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PR_READY_NS ((uint64_t)300 * 1000000000u) /* a manifest of a million jobs takes its time */

static pr_status parse(pr_manifest *m, const pr_run_options *o, pr_writer *report, pr_error *err) {
    if (!o->manifest_text) return pr_manifest_load(m, o->manifest_path, o->types, report, err);
    return pr_manifest_parse(m, o->manifest_text, strlen(o->manifest_text), o->manifest_path, o->manifest_dir, o->types,
                             report, err);
}

static pr_status load(pr_manifest *m, const pr_run_options *o, pr_writer *report, pr_error *err) {
    PR_TRY(parse(m, o, report, err));
    pr_status status = pr_manifest_read_keys(m, report, err);
    if (status != PR_OK) pr_manifest_clear(m);
    return status;
}

pr_status pr_startup_manifest(pr_manifest *m, const pr_run_options *o, pr_error *err) {
    pr_writer report;
    pr_writer_init(&report);
    pr_status status = load(m, o, &report, err);
    if (o->log == PR_LOG_JSON && status != PR_OK) {
        pr_write_u8(&report, 0);
        for (char *line = report.failed ? NULL : strtok((char *)report.data, "\n"); line; line = strtok(NULL, "\n"))
            pr_log(PR_LOG_ERROR, "manifest", "%s", line);
    } else if (status != PR_OK && !report.failed) {
        fwrite(report.data, 1, report.size, stderr);
    }
    if (report.size && !report.failed && !o->watch_dir) err->text[0] = 0;
    pr_writer_clear(&report);
    return status;
}

/* ---- the ranks get the manifest ---- */

typedef struct roll_call {
    pr_leader *l;
    const pr_manifest *m;
    const pr_run_file *file;
    bool *ready; /* [n] */
    uint32_t run;
} roll_call;

/* Its disk; its key, passphrase or configuration, for the user to set right; or what is between it and rank 0. */
static pr_status status_of_rank(pr_status status) {
    switch (status) {
    case PR_ERR_IO:
        return PR_ERR_IO;
    case PR_ERR_USAGE:
    case PR_ERR_REFUSED:
    case PR_ERR_MALFORMED:
        return PR_ERR_USAGE;
    default:
        return PR_ERR_MPI;
    }
}

/* A lot that is not the one that was sealed counts as none: with it all ranks would refuse the seed, and whoever sends
 * it would end the run. */
static void take_lot(pr_member *m, unsigned rank, const pr_wire_ready *ready) {
    pr_hash seal = pr_lot_seal(&ready->lot);
    m->next_sealed_lot = ready->next_sealed_lot;
    if (pr_hash_equal(&seal, &m->hello.sealed_lot))
        m->lot = ready->lot;
    else
        pr_log(PR_LOG_WARN, "run", "rank %u opens another lot than it had sealed: the seed is drawn without it", rank);
}

static pr_status on_ready(roll_call *c, unsigned rank, const pr_wire_ready *ready, pr_error *err) {
    if (ready->run != c->run || c->ready[rank]) return PR_OK; /* the first answer counts */
    if (ready->status != PR_OK)
        return pr_fail(err, status_of_rank((pr_status)ready->status), "rank %u: %s", rank, ready->reason);
    if (ready->n_jobs != c->m->n_jobs)
        return pr_fail(err, PR_ERR_MPI, "rank %u finds %u jobs in the manifest, rank 0 finds %zu", rank, ready->n_jobs,
                       c->m->n_jobs);
    pr_member *m = &c->l->roll.members[rank];
    c->ready[rank] = true;
    m->ready_run = c->run;
    take_lot(m, rank, ready);
    memcpy(m->public_key, ready->public_key, sizeof m->public_key);
    return PR_OK;
}

static bool is_waited_for(const roll_call *c, unsigned rank) {
    const pr_member *m = &c->l->roll.members[rank];
    return m->state == PR_RANK_UP && !c->ready[rank] && !m->refused && !pr_leader_sees_gone(m);
}

static bool is_complete(const roll_call *c) {
    for (unsigned rank = 0; rank < c->l->roll.n; rank++)
        if (is_waited_for(c, rank)) return false;
    return true;
}

static pr_status take_turn(roll_call *c, pr_error *err) {
    bool got, busy = false;
    int from;
    pr_wire m;
    uint8_t *buffer;
    pr_error bad = {0};
    PR_TRY(pr_leader_poll(c->l, &got, &from, &m, &buffer, &bad, err));
    if (!got && from == 0) return pr_fail(err, PR_ERR_MPI, "at the start: %s", bad.text);
    if (!got && from > 0) {
        pr_log(PR_LOG_WARN, "run", "rank %d cannot be understood: the run goes on without it: %s", from, bad.text);
        c->l->roll.members[from].refused = true;
    }
    pr_status status = PR_OK;
    if (got) {
        c->l->roll.members[from].heard_ns = pr_clock_monotonic_ns();
        if (m.type == PR_WIRE_READY) status = on_ready(c, (unsigned)from, &m.as.ready, err);
        pr_wire_clear(&m);
        free(buffer);
    }
    PR_TRY(status);
    PR_TRY(pr_worker_tick(c->l->worker, &busy, err));
    if (!got && !busy) pr_transport_idle(c->l->t);
    return PR_OK;
}

static pr_status send_manifest(roll_call *c, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_MANIFEST};
    char keys[1100];
    pr_roster_key_folder(keys, sizeof keys, c->file);
    m.as.manifest = (pr_wire_manifest){.run = c->run,
                                       .path = c->m->path,
                                       .base_dir = c->m->base_dir,
                                       .text = c->m->text,
                                       .text_size = c->m->text_size,
                                       .digest = c->m->digest,
                                       .run_digest = c->file->manifest_digest,
                                       .run_id = c->file->run_id,
                                       .key_folder = keys,
                                       .sealed_lots = pr_roster_sealed_lots(&c->l->roll)};
    for (unsigned rank = 0; rank < c->l->roll.n; rank++)
        if (c->l->roll.members[rank].state == PR_RANK_UP) PR_TRY(pr_transport_send(c->l->t, (int)rank, &m, err));
    return PR_OK;
}

static pr_status call_roll(roll_call *c, pr_error *err) {
    uint64_t end = pr_clock_monotonic_ns() + PR_READY_NS;
    PR_TRY(send_manifest(c, err));
    while (!is_complete(c) && pr_clock_monotonic_ns() < end) PR_TRY(take_turn(c, err));
    for (unsigned rank = 1; rank < c->l->roll.n; rank++) {
        if (!is_waited_for(c, rank)) continue;
        pr_log(PR_LOG_WARN, "run", "rank %u does not take the manifest: the run goes on without it", rank);
        (void)pr_roll_lose(&c->l->roll, rank);
    }
    return PR_OK;
}

pr_status pr_startup_ranks(pr_leader *l, const pr_manifest *m, const pr_run_file *file, pr_error *err) {
    roll_call c = {l, m, file, calloc(l->roll.n, sizeof(bool)), ++l->n_runs};
    if (!c.ready) return pr_fail(err, PR_ERR_MEMORY, "out of memory at the start");
    for (unsigned i = 0; i < l->roll.n; i++) memset(&l->roll.members[i].lot, 0, sizeof l->roll.members[i].lot);
    pr_status status = call_roll(&c, err);
    free(c.ready);
    return status;
}

/* What was sealed for this run is open now; the next run's lots are sealed already. */
static void turn_lots(pr_roll *roll) {
    for (unsigned i = 0; i < roll->n; i++) roll->members[i].hello.sealed_lot = roll->members[i].next_sealed_lot;
}

pr_status pr_startup_roster(pr_leader *l, const pr_roster *roster, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_ROSTER};
    pr_roster_fill(roster, l->n_runs, &m.as.roster);
    for (unsigned rank = 0; rank < l->roll.n; rank++)
        if (l->roll.members[rank].state == PR_RANK_UP) PR_TRY(pr_transport_send(l->t, (int)rank, &m, err));
    turn_lots(&l->roll);
    while (!pr_worker_voter(l->worker)) PR_TRY(pr_leader_idle(l, err)); /* its own comes like any other message */
    return PR_OK;
}

static void add_host(char *hosts, size_t size, const char *host) {
    size_t n = strlen(host), at = strlen(hosts);
    for (const char *p = hosts; (p = strstr(p, host)); p += n)
        if ((p == hosts || p[-1] == ',') && (p[n] == ',' || p[n] == 0)) return;
    snprintf(hosts + at, size - at, "%s%s", at ? "," : "", host);
}

static void warn_of_binding(const pr_leader *l) {
    for (unsigned rank = 0; rank < l->roll.n; rank++) {
        const pr_wire_hello *h = &l->roll.members[rank].hello;
        if (!h->bound_to_one_core) continue;
        pr_log(PR_LOG_WARN, "run",
               "ranks on %s are bound to one core each while other cores idle (mpirun's default); start with mpirun "
               "--bind-to none, or with --map-by slot:PE=N for N cores a rank; `proverun topo` shows the places",
               h->host);
        return;
    }
}

void pr_startup_place(pr_leader *l, char *hosts, size_t size, unsigned *threads) {
    hosts[0] = 0;
    *threads = 0;
    for (unsigned rank = 0; rank < l->roll.n; rank++) {
        const pr_wire_hello *h = &l->roll.members[rank].hello;
        if (h->host[0]) add_host(hosts, size, h->host);
        if (h->proves && h->threads > *threads) *threads = h->threads;
    }
    if (l->n_runs == 1) warn_of_binding(l);
}

/* ---- the schedule learns what there is ---- */

#define PR_MAX_CLASSES 64u
#define PR_EFFORT ((uint64_t)1 << 24) /* steps, of all jobs: some half a second, of hashes two */

typedef struct inventory {
    pr_schedule_job *jobs;
    pr_schedule_range *ranges;
    pr_schedule_rank *ranks;
    pr_schedule_node *nodes;
    pr_schedule_device *devices;
    uint32_t *names; /* [n_ranks] of nodes: their lowest ranks */
    uint32_t n_nodes, n_devices;
    uint32_t classes[PR_MAX_CLASSES], n_classes; /* the first job of each */
    pr_costs costs;
    pr_forecast votes;
    uint64_t effort; /* that is left for estimates */
} inventory;

static pr_costs find_costs(void) {
    pr_costs_origin origin;
    pr_costs costs = pr_calibration_costs(&origin);
    pr_log(PR_LOG_INFO, "run", "times are estimated from %s", origin.text);
    return costs;
}

static void free_inventory(inventory *v) {
    free(v->jobs);
    free(v->ranges);
    free(v->ranks);
    free(v->nodes);
    free(v->devices);
    free(v->names);
}

static uint32_t node_of(inventory *v, const pr_wire_hello *h) {
    for (uint32_t i = 0; i < v->n_nodes; i++)
        if (v->names[i] == h->node) return i;
    v->names[v->n_nodes] = h->node;
    v->nodes[v->n_nodes].host_bytes = h->node_bytes ? h->node_bytes : UINT64_MAX / 2;
    return v->n_nodes++;
}

/* Ranks of one node that name the same device share it. */
static uint32_t device_of(inventory *v, const pr_roll *roll, uint32_t rank) {
    const pr_wire_hello *h = &roll->members[rank].hello;
    if (!h->device[0]) return PR_SCHEDULE_NO_DEVICE;
    for (uint32_t i = 0; i < rank; i++) {
        const pr_wire_hello *other = &roll->members[i].hello;
        if (other->node == h->node && strcmp(other->device, h->device) == 0) return v->ranks[i].device;
    }
    v->devices[v->n_devices].bytes = h->device_bytes ? h->device_bytes : UINT64_MAX / 2;
    return v->n_devices++;
}

static void list_ranks(inventory *v, const pr_roll *roll) {
    for (uint32_t i = 0; i < roll->n; i++) {
        const pr_wire_hello *h = &roll->members[i].hello;
        v->ranks[i].node = node_of(v, h);
        v->ranks[i].device = device_of(v, roll, i);
        v->ranks[i].proves = h->proves;
        v->ranks[i].verifies = true;
    }
}

static uint64_t deadline_of(const pr_run *r, const pr_manifest_job *m, uint64_t now) {
    uint64_t deadline = pr_run_file_deadline_ns(r->file, m), wall = pr_clock_wall_ns();
    if (!deadline) return 0;
    return deadline > wall ? now + (deadline - wall) : 1;
}

/* What one proof may have of any device that there is: jobs that need more stream their columns. 0: no limit. */
static uint64_t device_limit(const inventory *v, const pr_run *r) {
    uint64_t least = v->n_devices ? v->devices[0].bytes : 0;
    for (uint32_t i = 1; i < v->n_devices; i++)
        if (v->devices[i].bytes < least) least = v->devices[i].bytes;
    return pr_seat_device_limit(r->o->device_bytes, least < UINT64_MAX / 2 ? least : 0);
}

/* Jobs of one class count as having one AIR. */
static void foresee_votes(inventory *v, const pr_schedule_job *j, const pr_estimate *e, bool is_first_of_class) {
    if (j->past != PR_SCHEDULE_TO_DO || !e->known) return;
    pr_forecast_add(&v->votes, &e->proof, 0);
    if (is_first_of_class) pr_forecast_add_root(&v->votes, e->proof.root_ns);
}

/* Of an attempt; e as pr_estimate_job gives it. */
static void estimate(pr_schedule_job *j, pr_estimate *e, inventory *v, const pr_run *r, const pr_manifest_job *m) {
    const pr_wire_hello *h = &r->roll->members[r->roll->n > 1].hello; /* the threads of a rank like the others */
    *e = (pr_estimate){.known = false};
    j->expected_ns = 1000000000u;
    uint64_t *effort = j->past == PR_SCHEDULE_TO_DO ? &v->effort : NULL;
    unsigned threads = h->threads ? h->threads : 1;
    if (pr_estimate_job(e, m->type, &m->params, &m->config, &v->costs, threads, effort, NULL) != PR_OK) return;
    j->expected_ns = e->expected_ns;
    j->host_bytes = e->host_bytes;
    if (!v->n_devices) return;
    uint64_t limit = device_limit(v, r);
    bool streams = limit && e->device_bytes > limit;
    j->device_bytes = streams ? limit : e->device_bytes;
    j->device_host_bytes = e->device_host_bytes + (streams ? e->device_bytes : 0);
}

/* Jobs of one type err alike. */
static uint32_t class_of(inventory *v, const pr_run *r, uint32_t i) {
    const pr_manifest_job *all = r->manifest->jobs;
    for (uint32_t k = 0; k < v->n_classes; k++)
        if (all[v->classes[k]].type == all[i].type) return k;
    if (v->n_classes == PR_MAX_CLASSES) return 0;
    v->classes[v->n_classes] = i;
    return v->n_classes++;
}

/* A number that the consensus has seen is not given again, whether or not its job came to an end. */
static uint32_t attempts_before(const pr_run *r, uint32_t job) {
    pr_hash name = pr_job_name(r->manifest->jobs[job].id);
    const pr_consensus *c = pr_voter_consensus(pr_worker_voter(r->worker));
    return pr_run_file_pass_attempt(r->file, job, pr_consensus_last_attempt(c, &name));
}

static void list_job(inventory *v, const pr_run *r, uint32_t i, uint64_t now, pr_schedule_range **ranges) {
    const pr_manifest_job *m = &r->manifest->jobs[i];
    pr_schedule_job *j = &v->jobs[i];
    pr_estimate e;
    uint32_t n_classes = v->n_classes;
    j->past = r->file->past[i];
    estimate(j, &e, v, r, m);
    j->class = class_of(v, r, i);
    j->time_limit_ns = m->time_limit_ns;
    j->deadline_ns = deadline_of(r, m, now);
    j->priority = m->priority;
    j->retries = m->retries;
    j->attempts_before = attempts_before(r, i);
    foresee_votes(v, j, &e, v->n_classes > n_classes);
    *ranges = pr_forecast_list_after(j, *ranges, m);
}

static void begin_votes(inventory *v, const pr_run *r) {
    uint32_t n_up = 0;
    for (uint32_t i = 0; i < r->roll->n; i++) n_up += r->roll->members[i].state == PR_RANK_UP;
    v->votes = pr_forecast_begin(r->roster->votes.committee_size, n_up ? n_up : 1);
}

static pr_status list_all(inventory *v, const pr_run *r, uint64_t now, pr_error *err) {
    char votes[512];
    size_t n = r->manifest->n_jobs;
    v->jobs = calloc(n ? n : 1, sizeof *v->jobs);
    v->ranges = calloc(pr_forecast_count_after(r->manifest), sizeof *v->ranges);
    v->ranks = calloc(r->roll->n, sizeof *v->ranks);
    v->nodes = calloc(r->roll->n, sizeof *v->nodes);
    v->devices = calloc(r->roll->n, sizeof *v->devices);
    v->names = calloc(r->roll->n, sizeof *v->names);
    if (!v->jobs || !v->ranges || !v->ranks || !v->nodes || !v->devices || !v->names)
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for a schedule of %zu jobs", n);
    v->costs = find_costs();
    list_ranks(v, r->roll);
    begin_votes(v, r);
    pr_schedule_range *ranges = v->ranges;
    for (uint32_t i = 0; i < n; i++) list_job(v, r, i, now, &ranges);
    pr_forecast_describe(votes, sizeof votes, &v->votes);
    pr_log(PR_LOG_INFO, "run", "%s", votes);
    return PR_OK;
}

static pr_status create(pr_schedule **out, const pr_run *r, const inventory *v, uint64_t now, pr_error *err) {
    const pr_schedule_setup setup = {
        .n_jobs = r->manifest->n_jobs,
        .jobs = v->jobs,
        .n_classes = v->n_classes,
        .n_ranks = r->roll->n,
        .n_nodes = v->n_nodes,
        .n_devices = v->n_devices,
        .ranks = v->ranks,
        .nodes = v->nodes,
        .devices = v->devices,
        .options = {.judge = PR_SCHEDULE_JUDGE_OUTSIDE,
                    .end_ns = r->end_ns,
                    .drain_margin_ns = r->drain_margin_ns,
                    .behind_ns = PR_SCHEDULE_BEHIND_NS},
    };
    return pr_schedule_create(out, &setup, now, err);
}

pr_status pr_startup_schedule(pr_schedule **out, const pr_run *r, pr_error *err) {
    inventory v = {.effort = PR_EFFORT};
    uint64_t now = pr_clock_monotonic_ns();
    pr_status status = list_all(&v, r, now, err);
    if (status == PR_OK) status = create(out, r, &v, now, err);
    free_inventory(&v);
    if (status != PR_OK) return status;
    for (uint32_t rank = 0; rank < r->roll->n; rank++)
        if (r->roll->members[rank].state != PR_RANK_UP)
            pr_schedule_set_rank(*out, now, rank, r->roll->members[rank].state);
    return PR_OK;
}
