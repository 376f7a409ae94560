/* `proverun status [RUN]`: how a run stands, read from its journal. */
#include "app/app.h"
#include "base/clock.h"
#include "store/state.h"
#include "store/store.h"
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PR_SILENCE_NS ((uint64_t)90 * 1000000000u) /* a run writes once a minute at least: how its ranks are */

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

/* A path of the results file or journal, or a run id; "" is the latest. */
static pr_status find_journal(char *out, size_t size, const char *run, const char *folder, pr_error *err) {
    char path[PATH_MAX], target[PATH_MAX];
    if (ends_with(run, ".journal")) {
        snprintf(out, size, "%s", run);
        return PR_OK;
    }
    bool is_path = ends_with(run, ".h5") || strchr(run, '/');
    if (!run[0])
        snprintf(path, sizeof path, "%s/latest", folder);
    else
        snprintf(path, sizeof path, is_path ? "%s%s" : "%s/%s.h5", is_path ? "" : folder, run);
    PR_TRY(pr_store_follow_link(target, sizeof target, path, err));
    if (!run[0] && strcmp(target, path) == 0)
        return pr_fail(err, PR_ERR_USAGE, "%s: no run was started here; name one: proverun status RUN", path);
    return pr_store_journal_path(out, size, target, err);
}

/* ---- text ---- */

static void print_duration(double s) {
    if (s < 0) s = 0;
    if (s >= 5400)
        printf("%.1f h", s / 3600);
    else if (s >= 100)
        printf("%.1f min", s / 60);
    else
        printf("%.1f s", s);
}

static double seconds_to(uint64_t from, uint64_t to) { return ((double)to - (double)from) / 1e9; }

static uint64_t n_done(const pr_run_state *s) {
    return s->by_outcome[PR_OUTCOME_APPROVED] + s->by_outcome[PR_OUTCOME_SELF_VERIFIED];
}

static uint64_t n_failed(const pr_run_state *s) {
    uint64_t n = 0;
    for (uint32_t k = PR_OUTCOME_NONE + 1; k < PR_OUTCOME_COUNT; k++) n += pr_outcome_is_done(k) ? 0 : s->by_outcome[k];
    return n;
}

static void print_state(const pr_run_state *s, uint64_t now) {
    bool silent = s->running && now > s->last_ns && now - s->last_ns > PR_SILENCE_NS;
    printf("%s: %s, session %u, %u ranks on %s\n", s->run_id,
           !s->running ? s->session.status
           : silent    ? "running, or ended without a word"
                       : "running",
           s->sessions, s->session.ranks, s->session.hosts[0] ? s->session.hosts : "?");
    printf("last written ");
    print_duration(seconds_to(s->last_ns, now));
    printf(" ago; begun ");
    print_duration(seconds_to(s->session_begin_ns, now));
    printf(" ago\n");
}

static void print_jobs(const pr_run_state *s) {
    printf("jobs: %llu, done %llu, failed %llu, running %llu, waiting %llu\n", (unsigned long long)s->n_jobs,
           (unsigned long long)n_done(s), (unsigned long long)n_failed(s), (unsigned long long)s->n_running,
           (unsigned long long)s->n_waiting);
    for (uint32_t k = PR_OUTCOME_NONE + 1; k < PR_OUTCOME_COUNT; k++)
        if (s->by_outcome[k]) printf("  %-14s %llu\n", pr_outcome_name(k), (unsigned long long)s->by_outcome[k]);
}

static void print_rate(const pr_run_state *s, uint64_t now) {
    char end[32];
    if (s->jobs_per_s <= 0) return;
    printf("rate: %.3g jobs/s", s->jobs_per_s);
    if (s->expected_end_ns) {
        pr_clock_iso8601(end, s->expected_end_ns);
        printf("; expected end %.19sZ, in ", end);
        print_duration(seconds_to(now, s->expected_end_ns));
    }
    puts("");
}

static void print_ranks(const pr_run_state *s, uint64_t now) {
    if (!s->n_ranks) return;
    printf("%5s  %-20s %-10s %9s  %-14s %s\n", "rank", "host", "state", "heard s", "stage", "job");
    for (size_t i = 0; i < s->n_ranks; i++) {
        const pr_rank_row *r = &s->ranks[i];
        char heard[32] = "-";
        if (r->heard_ns) snprintf(heard, sizeof heard, "%.1f", seconds_to(r->heard_ns, now));
        printf("%5d  %-20s %-10s %9s  %-14s %s\n", r->rank, r->host, pr_rank_activity_name(r->state), heard, r->stage,
               r->id);
    }
}

static int print_text(const pr_run_state *s) {
    uint64_t now = pr_clock_wall_ns(), damage = 0;
    print_state(s, now);
    print_jobs(s);
    print_rate(s, now);
    if (s->n_events) printf("events: %llu (`proverun journal show`)\n", (unsigned long long)s->n_events);
    print_ranks(s, now);
    for (size_t i = 0; i < s->n_faults; i++) damage += s->faults[i].kind != PR_FAULT_TORN;
    if (damage) puts("the journal is damaged: `proverun journal check` tells where");
    return damage > 0;
}

/* ---- JSON ---- */

static json_t *text_of(const char *text) {
    json_t *value = json_string(text);
    return value ? value : json_string("?"); /* not UTF-8 */
}

static json_t *ranks_of(const pr_run_state *s) {
    json_t *all = json_array();
    for (size_t i = 0; i < s->n_ranks; i++) {
        const pr_rank_row *r = &s->ranks[i];
        json_array_append_new(all, json_pack("{s:i,s:o,s:s,s:o,s:o,s:f,s:I}", "rank", (int)r->rank, "host",
                                             text_of(r->host), "state", pr_rank_activity_name(r->state), "job",
                                             text_of(r->id), "stage", text_of(r->stage), "progress", r->progress,
                                             "heard_ns", (json_int_t)r->heard_ns));
    }
    return all;
}

static int print_json(const pr_run_state *s) {
    json_t *outcomes = json_object();
    bool damaged = false;
    for (size_t i = 0; i < s->n_faults; i++) damaged |= s->faults[i].kind != PR_FAULT_TORN;
    for (uint32_t k = PR_OUTCOME_NONE + 1; k < PR_OUTCOME_COUNT; k++)
        json_object_set_new(outcomes, pr_outcome_name(k), json_integer((json_int_t)s->by_outcome[k]));
    json_t *all =
        json_pack("{s:o,s:b,s:o,s:i,s:I,s:I,s:I,s:I,s:I,s:o,s:f,s:I,s:I,s:I,s:I,s:b,s:o}", "run_id", text_of(s->run_id),
                  "running", s->running, "status", text_of(s->session.status), "session", (int)s->sessions, "jobs",
                  (json_int_t)s->n_jobs, "done", (json_int_t)n_done(s), "failed", (json_int_t)n_failed(s),
                  "jobs_running", (json_int_t)s->n_running, "waiting", (json_int_t)s->n_waiting, "outcomes", outcomes,
                  "jobs_per_s", s->jobs_per_s, "expected_end_ns", (json_int_t)s->expected_end_ns, "begun_ns",
                  (json_int_t)s->session_begin_ns, "written_ns", (json_int_t)s->last_ns, "events",
                  (json_int_t)s->n_events, "damaged", damaged, "ranks", ranks_of(s));
    char *text = all ? json_dumps(all, JSON_REAL_PRECISION(9)) : NULL;
    puts(text ? text : "{}");
    free(text);
    json_decref(all);
    return damaged;
}

int pr_app_status(int argc, char **argv) {
    static const struct option options[] = {{"results", 1, 0, 'd'}, {"json", 0, 0, 'j'}, {0, 0, 0, 0}};
    const char *folder = "results";
    char path[4096];
    pr_error err = {0};
    pr_run_state *s;
    bool json = false;
    int c;
    optind = 0;
    while ((c = pr_app_option(argc, argv, ":", options, &err)) != -1) {
        if (c == 'd')
            folder = optarg;
        else if (c == 'j')
            json = true;
        else
            return pr_app_fail(&err);
    }
    pr_status status = argc - optind > 1
                           ? pr_fail(&err, PR_ERR_USAGE, "status needs one RUN at most")
                           : find_journal(path, sizeof path, optind < argc ? argv[optind] : "", folder, &err);
    if (status == PR_OK && access(path, R_OK) != 0)
        status = pr_fail(&err, PR_ERR_USAGE, "%s: there is no such journal to read", path);
    if (status == PR_OK) status = pr_run_state_load(&s, path, &err);
    if (status != PR_OK) return pr_app_fail(&err);
    int exit_code = json ? print_json(s) : print_text(s);
    pr_run_state_free(s);
    return pr_app_flush(exit_code);
}
