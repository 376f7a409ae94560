#include "app/run_options.h"
#include "app/app.h"
#include "cpu/cpu_backend.h"
#include "base/duration.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pr_run_options pr_app_run_defaults(void) {
    return (pr_run_options){.results_dir = "results",
                            .types = pr_job_types,
                            .log = PR_LOG_TEXT,
                            .backend_name = "auto",
                            .start_ns = PR_CLUSTER_START_NS};
}

/* All ranks read the same command line, so one of them complains; of its own machine, each. */
int pr_app_run_complain(const pr_error *err) {
    if (err->status == PR_ERR_BACKEND) return pr_app_fail(err), 2;
    return pr_app_is_first_rank() ? pr_app_fail(err) : pr_status_exit_code(err->status);
}

/* The word after --resume is the run's, unless it must be the manifest. */
static void take_resume(pr_run_options *o, int argc, char **argv) {
    const char *next = optind < argc ? argv[optind] : NULL;
    o->resume = optarg ? optarg : "";
    if (optarg || !next || next[0] == '-' || pr_app_is_yaml(next)) return;
    o->resume = next;
    optind++;
}

static pr_status take_duration(uint64_t *ns, const char *option, pr_error *err) {
    if (pr_duration_parse(ns, optarg) && *ns > 0) return PR_OK;
    return pr_fail(err, PR_ERR_USAGE, "%s: '%s'; allowed: %s", option, optarg, PR_DURATION_ALLOWED);
}

static pr_status take_config(pr_run_options *o, pr_error *err) {
    static pr_votes_config config; /* of the process: options are read once */
    o->votes = &config;
    return pr_votes_config_load(&config, optarg, err);
}

static pr_status take_log(pr_run_options *o, pr_error *err) {
    if (strcmp(optarg, "text") != 0 && strcmp(optarg, "json") != 0)
        return pr_fail(err, PR_ERR_USAGE, "--log: '%s'; allowed: text, json", optarg);
    o->log = strcmp(optarg, "json") == 0 ? PR_LOG_JSON : PR_LOG_TEXT;
    return PR_OK;
}

static pr_status take_gpus(pr_run_options *o, pr_error *err) {
    static const char *const names[] = {
        [PR_GPU_SHARE] = "share", [PR_GPU_SINGLE] = "single", [PR_GPU_IGNORE] = "ignore"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(optarg, names[i])) return o->placement.gpu_use = (pr_gpu_use)i, PR_OK;
    return pr_fail(err, PR_ERR_USAGE, "--gpus: '%s'; allowed: share, single, ignore", optarg);
}

static pr_status take_number(pr_run_options *o, pr_error *err) {
    uint64_t threads;
    PR_TRY(pr_app_number(&threads, "--threads", optarg, 1, 4096, err));
    o->placement.threads = (unsigned)threads;
    return PR_OK;
}

static pr_status take_option(pr_run_options *o, int option, int argc, char **argv, pr_error *err) {
    switch (option) {
    case 'd':
        return o->results_dir = optarg, PR_OK;
    case 'r':
        return take_resume(o, argc, argv), PR_OK;
    case 'R':
        return o->retry_failed = true, PR_OK;
    case 'C':
        return take_config(o, err);
    case 'm':
        return o->metrics_path = optarg, PR_OK;
    case 'b':
        return o->backend_name = optarg, PR_OK;
    case 'M':
        return pr_app_bytes(&o->device_bytes, "--device-memory", optarg, err);
    case 'w':
        return o->watch_dir = optarg, PR_OK;
    case 'c':
        return o->coordinator_only = true, PR_OK;
    case 'W':
        return o->placement.widen = true, PR_OK;
    case 'S':
        return o->placement.smt = true, PR_OK;
    case 't':
        return take_number(o, err);
    case 'l':
        return take_log(o, err);
    case 'g':
        return take_gpus(o, err);
    case 'T':
        return take_duration(&o->max_time_ns, "--max-time", err);
    case 'D':
        return take_duration(&o->drain_margin_ns, "--drain-margin", err);
    case 'G':
        return take_duration(&o->grace_ns, "--grace", err);
    case 'H':
        return take_duration(&o->hang_ns, "--hang-limit", err);
    case 'q':
        return take_duration(&o->silent_ns, "--silent-after", err);
    case 'Q':
        return take_duration(&o->lost_ns, "--lost-after", err);
    case 's':
        return take_duration(&o->start_ns, "--start-limit", err);
    default: /* told by pr_app_option */
        return PR_ERR_USAGE;
    }
}

pr_status pr_app_run_arguments(pr_run_options *o, const char **argument, int argc, char **argv, pr_error *err) {
    static const struct option options[] = {{"results", 1, 0, 'd'},
                                            {"resume", 2, 0, 'r'},
                                            {"retry-failed", 0, 0, 'R'},
                                            {"threads", 1, 0, 't'},
                                            {"backend", 1, 0, 'b'},
                                            {"device-memory", 1, 0, 'M'},
                                            {"metrics", 1, 0, 'm'},
                                            {"config", 1, 0, 'C'},
                                            {"log", 1, 0, 'l'},
                                            {"watch", 1, 0, 'w'},
                                            {"coordinator-only", 0, 0, 'c'},
                                            {"gpus", 1, 0, 'g'},
                                            {"widen", 0, 0, 'W'},
                                            {"smt", 0, 0, 'S'},
                                            {"max-time", 1, 0, 'T'},
                                            {"drain-margin", 1, 0, 'D'},
                                            {"grace", 1, 0, 'G'},
                                            {"hang-limit", 1, 0, 'H'},
                                            {"silent-after", 1, 0, 'q'},
                                            {"lost-after", 1, 0, 'Q'},
                                            {"start-limit", 1, 0, 's'},
                                            {0, 0, 0, 0}};
    int c;
    *argument = NULL;
    optind = 0;
    while ((c = pr_app_option(argc, argv, "-:", options, err)) != -1) {
        if (c == 1 && *argument) return pr_fail(err, PR_ERR_USAGE, "'%s': one file only", optarg);
        if (c == 1)
            *argument = optarg;
        else
            PR_TRY(take_option(o, c, argc, argv, err));
    }
    if (o->silent_ns && o->lost_ns && o->lost_ns < o->silent_ns)
        return pr_fail(err, PR_ERR_USAGE, "--lost-after is shorter than --silent-after");
    if (o->silent_ns && !o->lost_ns) o->lost_ns = 6 * o->silent_ns;
    if (o->lost_ns && !o->silent_ns) o->silent_ns = o->lost_ns / 6 + 1;
    o->cpu_backend = pr_cpu_best();
    return pr_app_backend(&o->backend, o->backend_name, err);
}

char *pr_app_run_join(int argc, char **argv) {
    size_t size = sizeof "proverun";
    for (int i = 0; i < argc; i++) size += strlen(argv[i]) + 1;
    char *text = malloc(size);
    size_t at = text ? (size_t)snprintf(text, size, "proverun") : 0;
    for (int i = 0; text && i < argc; i++) at += (size_t)snprintf(text + at, size - at, " %s", argv[i]);
    return text;
}
