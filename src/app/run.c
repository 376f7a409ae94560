#include "app/app.h"
#include "base/log.h"
#include "cluster/cluster.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "proverun run - prove the jobs of a manifest\n\n"
    "Usage: [mpirun -n N --bind-to none] proverun run MANIFEST [OPTIONS]\n\n"
    "Rank 0 hands the jobs to the other ranks; each proof is verified by the rank that made it and, from its bytes, "
    "by\n"
    "another rank; only then it counts (approved). With one rank the outcome is self_verified.\n\n"
    "  --results DIR      folder of results files (default results)\n"
    "  --resume [RUN]     go on with a run that was interrupted: a run id or a path; without RUN the newest run of "
    "the\n"
    "                     manifest's name in DIR. Jobs that failed are tried again\n"
    "  --threads N        threads of a rank (default: its share of the processors it may use)\n"
    "  --backend NAME     what computes (default auto; `proverun version` lists them)\n"
    "  --metrics FILE     metrics for the node exporter's textfile collector (default DIR/<run-id>.prom)\n"
    "  --log text|json    messages for people, or one JSON object a line\n\n"
    "SIGUSR1 drains: nothing new is started, what runs is finished, exit 75. SIGTERM gives what runs one second.\n"
    "The last line on standard output is the path of the results file; everything else goes to standard error.\n\n"
    "Security: the conjectured bits rest on a conjecture about FRI of which parts were disproved in 2025; proven bits\n"
    "are for unique decoding. A result below 96 bits says `insecure parameters`. Proofs do not hide their inputs.\n\n"
    "Exit codes: 0 all approved or self-verified, 1 some jobs failed or were rejected, 2 usage or manifest, 70 "
    "internal\n"
    "error, 74 input/output error, 75 interrupted and resumable.\n";

static bool ends_with_yaml(const char *text) {
    size_t n = strlen(text);
    return (n > 5 && strcmp(text + n - 5, ".yaml") == 0) || (n > 4 && strcmp(text + n - 4, ".yml") == 0);
}

/* All ranks read the same command line: one of them complains. */
static int complain(const pr_error *err) {
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *rank = getenv(names[i]);
        if (rank && strcmp(rank, "0") != 0) return pr_status_exit_code(err->status);
    }
    return pr_app_fail(err);
}

/* The word after --resume is the run's, unless it must be the manifest. */
static void take_resume(pr_run_options *o, int argc, char **argv) {
    const char *next = optind < argc ? argv[optind] : NULL;
    o->resume = optarg ? optarg : "";
    if (optarg || !next || next[0] == '-' || ends_with_yaml(next)) return;
    o->resume = next;
    optind++;
}

static pr_status take_option(pr_run_options *o, const char **backend, int option, int argc, char **argv,
                             pr_error *err) {
    uint64_t threads;
    switch (option) {
    case 'd':
        o->results_dir = optarg;
        return PR_OK;
    case 'r':
        take_resume(o, argc, argv);
        return PR_OK;
    case 'm':
        o->metrics_path = optarg;
        return PR_OK;
    case 'b':
        *backend = optarg;
        return PR_OK;
    case 't':
        PR_TRY(pr_app_number(&threads, "--threads", optarg, 1, 4096, err));
        o->n_threads = (unsigned)threads;
        return PR_OK;
    case 'l':
        if (strcmp(optarg, "text") != 0 && strcmp(optarg, "json") != 0)
            return pr_fail(err, PR_ERR_USAGE, "--log: '%s'; allowed: text, json", optarg);
        o->log = strcmp(optarg, "json") == 0 ? PR_LOG_JSON : PR_LOG_TEXT;
        return PR_OK;
    default:
        return pr_fail(err, PR_ERR_USAGE, "unknown or incomplete option '%s'; see proverun run --help",
                       argv[optind - 1]);
    }
}

static pr_status read_arguments(pr_run_options *o, bool *wants_help, int argc, char **argv, pr_error *err) {
    static const struct option options[] = {
        {"results", 1, 0, 'd'}, {"resume", 2, 0, 'r'}, {"threads", 1, 0, 't'}, {"backend", 1, 0, 'b'},
        {"metrics", 1, 0, 'm'}, {"log", 1, 0, 'l'},    {"help", 0, 0, 'h'},    {0, 0, 0, 0}};
    const char *backend = "auto";
    int c;
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "-", options, NULL)) != -1) {
        if (c == 'h') {
            *wants_help = true;
            return PR_OK;
        }
        if (c == 1 && o->manifest_path) return pr_fail(err, PR_ERR_USAGE, "'%s': one manifest only", optarg);
        if (c == 1)
            o->manifest_path = optarg;
        else
            PR_TRY(take_option(o, &backend, c, argc, argv, err));
    }
    if (!o->manifest_path && o->resume && o->resume[0]) { /* --resume MANIFEST */
        o->manifest_path = o->resume;
        o->resume = "";
    }
    if (!o->manifest_path) return pr_fail(err, PR_ERR_USAGE, "run needs a manifest; see proverun run --help");
    return pr_app_backend(&o->backend, backend, err);
}

/* The words as given, a space between them. */
static char *join(int argc, char **argv) {
    size_t size = sizeof "proverun";
    for (int i = 0; i < argc; i++) size += strlen(argv[i]) + 1;
    char *text = malloc(size);
    size_t at = text ? (size_t)snprintf(text, size, "proverun") : 0;
    for (int i = 0; text && i < argc; i++) at += (size_t)snprintf(text + at, size - at, " %s", argv[i]);
    return text;
}

int pr_app_run(int argc, char **argv) {
    pr_run_options o = {.results_dir = "results", .types = pr_job_types, .log = PR_LOG_TEXT};
    pr_error err = {0};
    bool wants_help = false;
    char *command_line = join(argc, argv);
    pr_status status = command_line ? read_arguments(&o, &wants_help, argc, argv, &err)
                                    : pr_fail(&err, PR_ERR_MEMORY, "out of memory");
    int exit_code = 0;
    if (status != PR_OK) {
        exit_code = complain(&err);
    } else if (wants_help) {
        fputs(help, stdout);
    } else {
        o.command_line = command_line;
        exit_code = pr_cluster_run(&o);
    }
    free(command_line);
    return exit_code;
}
