#include "app/bench.h"
#include "base/cpu.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct bench {
    const char *name;
    pr_status (*run)(const bench_options *o, pr_error *err);
    uint64_t log_rows, columns;
} benches[] = {
    {"wide-fibonacci", bench_wide_fibonacci, 20, 100},
    {"poseidon2", bench_poseidon2, 16, 0},
    {"jobs", bench_jobs, 0, 0},
    {"fft", bench_fft, 20, 16},
    {"merkle", bench_merkle, 20, 100},
    {"commit", bench_commit, 20, 8},
    {"grind", bench_grind, 0, 0},
    {"field", bench_field, 0, 0},
    {"calibrate", bench_calibrate, 0, 0},
};

/* One line measures one instruction set: the backend's is also that of what runs beside it, traces and the verifier. */
static pr_status choose_backend(const pr_backend **out, const char *name, pr_error *err) {
    PR_TRY(pr_app_backend(out, name, err));
    for (int isa = 0; isa < PR_ISA_COUNT; isa++)
        if (!strcmp(name, pr_isa_name((pr_isa)isa))) pr_cpu_limit((pr_isa)isa);
    return PR_OK;
}

static pr_status parse_option(bench_options *o, int option, pr_error *err) {
    switch (option) {
    case 'l':
        return pr_app_number(&o->log_rows, "--log-rows", optarg, 4, 24, err);
    case 'c':
        return pr_app_number(&o->columns, "--columns", optarg, 1, 4000, err);
    case 'r':
        return pr_app_number(&o->repeat, "--repeat", optarg, 1, 1000000, err);
    case 'n':
        return pr_app_number(&o->threads, "--threads", optarg, 1, 4096, err);
    case 'q':
        return pr_app_number(&o->queries, "--queries", optarg, 1, 1000, err);
    case 'w':
        return pr_app_number(&o->pow_bits, "--pow-bits", optarg, 0, 32, err);
    case 'f':
        return pr_app_number(&o->fold_step, "--fold-step", optarg, 1, 10, err);
    case 'u':
        return pr_app_number(&o->log_blowup, "--log-blowup", optarg, 1, 4, err);
    case 's':
        return pr_app_number(&o->steady, "--steady", optarg, 2, 1000000, err);
    case 'p':
        return pr_app_number(&o->provers, "--provers", optarg, 1, BENCH_MOST_PROVERS, err);
    case 'o':
        o->output = optarg;
        return PR_OK;
    case 'm':
        return pr_app_bytes(&o->device_bytes, "--device-memory", optarg, err);
    case 'b':
        return choose_backend(&o->backend, optarg, err);
    default:
        return PR_ERR_USAGE;
    }
}

static pr_status parse(bench_options *o, bool takes_manifest, int argc, char **argv, pr_error *err) {
    static const struct option options[] = {{"log-rows", 1, 0, 'l'},      {"columns", 1, 0, 'c'},
                                            {"repeat", 1, 0, 'r'},        {"threads", 1, 0, 'n'},
                                            {"queries", 1, 0, 'q'},       {"pow-bits", 1, 0, 'w'},
                                            {"backend", 1, 0, 'b'},       {"fold-step", 1, 0, 'f'},
                                            {"log-blowup", 1, 0, 'u'},    {"output", 1, 0, 'o'},
                                            {"device-memory", 1, 0, 'm'}, {"steady", 1, 0, 's'},
                                            {"provers", 1, 0, 'p'},       {0, 0, 0, 0}};
    int c;
    optind = 0;
    while ((c = pr_app_option(argc, argv, ":", options, err)) != -1) PR_TRY(parse_option(o, c, err));
    if (takes_manifest && optind < argc) o->manifest = argv[optind++];
    if (optind != argc)
        return pr_fail(err, PR_ERR_USAGE, "'%s': no more arguments are allowed; see proverun bench --help",
                       argv[optind]);
    if (o->provers && !o->steady)
        return pr_fail(err, PR_ERR_USAGE, "--provers needs --steady N; see proverun bench --help");
    if (!o->backend) return pr_app_backend(&o->backend, "auto", err);
    return PR_OK;
}

int pr_app_bench(int argc, char **argv) {
    pr_error err = {0};
    const char *name = argc < 2 ? "" : argv[1];
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        if (strcmp(benches[i].name, name)) continue;
        bench_options o = {.log_rows = benches[i].log_rows,
                           .columns = benches[i].columns,
                           .repeat = 3,
                           .queries = 70,
                           .pow_bits = benches[i].run == bench_grind ? 26 : 10,
                           .fold_step = 1,
                           .log_blowup = 1};
        if (parse(&o, benches[i].run == bench_jobs, argc - 1, argv + 1, &err) != PR_OK) return pr_app_fail(&err), 2;
        if (benches[i].run(&o, &err) != PR_OK) return pr_app_fail(&err);
        return 0;
    }
    pr_fail(&err, PR_ERR_USAGE,
            "no benchmark '%s'; allowed: wide-fibonacci, poseidon2, jobs, fft, merkle, commit, grind, field, calibrate",
            name);
    return pr_app_fail(&err);
}
