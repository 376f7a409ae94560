#include "app/app.h"
#include "base/log.h"
#include "cluster/cluster.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ends_with_yaml(const char *text) {
    size_t n = strlen(text);
    return (n > 5 && strcmp(text + n - 5, ".yaml") == 0) || (n > 4 && strcmp(text + n - 4, ".yml") == 0);
}

/* All ranks read the same command line, so one of them complains; of its own machine, each. */
static int complain(const pr_error *err) {
    if (err->status == PR_ERR_BACKEND) return pr_app_fail(err), 2;
    return pr_app_is_first_rank() ? pr_app_fail(err) : pr_status_exit_code(err->status);
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
        return PR_ERR_USAGE;
    }
}

static pr_status read_arguments(pr_run_options *o, int argc, char **argv, pr_error *err) {
    static const struct option options[] = {{"results", 1, 0, 'd'},
                                            {"resume", 2, 0, 'r'},
                                            {"threads", 1, 0, 't'},
                                            {"backend", 1, 0, 'b'},
                                            {"metrics", 1, 0, 'm'},
                                            {"log", 1, 0, 'l'},
                                            {0, 0, 0, 0}};
    const char *backend = "auto";
    int c;
    optind = 0;
    while ((c = pr_app_option(argc, argv, "-:", options, err)) != -1) {
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
    char *command_line = join(argc, argv);
    pr_status status =
        command_line ? read_arguments(&o, argc, argv, &err) : pr_fail(&err, PR_ERR_MEMORY, "out of memory");
    int exit_code = 0;
    if (status != PR_OK) {
        exit_code = complain(&err);
    } else {
        o.command_line = command_line;
        exit_code = pr_cluster_run(&o);
    }
    free(command_line);
    return exit_code;
}
