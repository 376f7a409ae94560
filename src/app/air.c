#include "app/app.h"
#include "air/profile.h"
#include "air/program.h"
#include "casefile/casefile.h"
#include "circle/circle.h"
#include "job/job.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct arguments {
    const pr_job_type *type;
    const char *profile;
    bool example, trace, assembly;
    pr_param items[64];
    size_t n;
} arguments;

static pr_status list_types(void) {
    for (size_t i = 0; pr_job_types[i]; i++) puts(pr_job_types[i]->name);
    return PR_OK;
}

static pr_status unknown_type(const char *name, pr_error *err) {
    char names[512] = "";
    for (size_t i = 0, n = 0; pr_job_types[i] && n < sizeof names; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "", pr_job_types[i]->name);
    return pr_fail(err, PR_ERR_USAGE, "no job type '%s'; allowed: %s", name, names);
}

/* "name=value", cut in place. */
static pr_status add_item(arguments *a, char *text, pr_error *err) {
    char *equals = strchr(text, '=');
    if (!equals) return pr_fail(err, PR_ERR_USAGE, "'%s' is not NAME=VALUE", text);
    if (a->n == sizeof a->items / sizeof *a->items) return pr_fail(err, PR_ERR_USAGE, "too many parameters");
    *equals = 0;
    a->items[a->n++] = (pr_param){text, equals + 1};
    return PR_OK;
}

/* ---- the trace in row order ---- */

typedef pr_m31 ***trace_rows;

static void free_trace(trace_rows trace, const pr_air *air) {
    for (uint32_t c = 0; trace && c < air->n_components; c++) {
        for (uint32_t k = 0; trace[c] && k < air->components[c].n_columns; k++) free(trace[c][k]);
        free(trace[c]);
    }
    free(trace);
}

static trace_rows alloc_trace(const pr_air *air) {
    trace_rows trace = calloc(air->n_components + 1, sizeof *trace);
    for (uint32_t c = 0; trace && c < air->n_components; c++) {
        const pr_air_component *component = &air->components[c];
        bool full = (trace[c] = calloc(component->n_columns + 1, sizeof **trace)) != NULL;
        for (uint32_t k = 0; full && k < component->n_columns; k++)
            full = (trace[c][k] = calloc((size_t)1 << component->log_size, sizeof(pr_m31))) != NULL;
        if (full) continue;
        free_trace(trace, air);
        return NULL;
    }
    return trace;
}

static void storage_to_rows(pr_m31 *column, pr_m31 *copy, uint32_t log_size) {
    memcpy(copy, column, sizeof *copy << log_size);
    for (uint32_t r = 0; r < 1u << log_size; r++) column[r] = copy[pr_slot_of_row(log_size, r)];
}

static pr_status fill_component(pr_job *job, uint32_t index, pr_m31 **columns, pr_error *err) {
    const pr_air_component *c = &job->statement.air->components[index];
    PR_TRY(pr_job_fill_trace(job, index, columns, 1, err));
    if (!pr_job_fills_storage(job)) return PR_OK;
    pr_m31 *copy = malloc(sizeof *copy << c->log_size);
    if (!copy) return pr_fail(err, PR_ERR_MEMORY, "no memory for the trace");
    for (uint32_t k = 0; k < c->n_columns; k++) storage_to_rows(columns[k], copy, c->log_size);
    free(copy);
    return PR_OK;
}

static pr_status write_case(pr_writer *out, pr_job *job, bool with_trace, pr_error *err) {
    const pr_air *air = job->statement.air;
    if (!with_trace) return pr_case_write(out, job->type->name, &job->statement, NULL, err);
    trace_rows trace = alloc_trace(air);
    pr_status status = trace ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "no memory for the trace");
    for (uint32_t c = 0; status == PR_OK && c < air->n_components; c++) status = fill_component(job, c, trace[c], err);
    if (status == PR_OK)
        status = pr_case_write(out, job->type->name, &job->statement, (pr_m31 *const *const *)trace, err);
    free_trace(trace, air);
    return status;
}

static pr_status write_assembly(pr_writer *out, const pr_air *air, pr_error *err) {
    for (uint32_t c = 0; c < air->n_components; c++) {
        pr_program program;
        PR_TRY(pr_program_lower(&program, &air->components[c], PR_PROGRAM_FULL, err));
        pr_write_format(out, "component %s, 2^%u rows\n", air->components[c].name, air->components[c].log_size);
        pr_program_disassemble(out, &program);
        pr_program_clear(&program);
    }
    return PR_OK;
}

static pr_status print_air(const arguments *a, pr_error *err) {
    pr_config config;
    pr_job *job = NULL;
    pr_writer out;
    pr_params params = {.base_dir = ".",
                        .n = a->example ? a->type->n_example : a->n,
                        .items = a->example ? a->type->example : a->items};
    PR_TRY(pr_profile_config(&config, a->profile, err));
    PR_TRY(pr_job_create(&job, a->type, &params, &config, err));
    pr_writer_init(&out);
    pr_status status =
        a->assembly ? write_assembly(&out, job->statement.air, err) : write_case(&out, job, a->trace, err);
    if (status == PR_OK && (fwrite(out.data, 1, out.size, stdout) != out.size || fflush(stdout)))
        status = pr_fail(err, PR_ERR_IO, "standard output: cannot write");
    pr_writer_clear(&out);
    pr_job_destroy(job);
    return status;
}

static pr_status run(int argc, char **argv, pr_error *err) {
    static const struct option options[] = {{"list", 0, 0, 'l'}, {"example", 0, 0, 'e'}, {"trace", 0, 0, 't'},
                                            {"asm", 0, 0, 'a'},  {"profile", 1, 0, 'p'}, {0, 0, 0, 0}};
    arguments a = {.profile = "standard"};
    int o;
    optind = 0;
    while ((o = pr_app_option(argc, argv, ":", options, err)) != -1) {
        switch (o) {
        case 'l':
            return list_types();
        case 'e':
            a.example = true;
            break;
        case 't':
            a.trace = true;
            break;
        case 'a':
            a.assembly = true;
            break;
        case 'p':
            a.profile = optarg;
            break;
        default:
            return PR_ERR_USAGE;
        }
    }
    if (optind == argc) return pr_fail(err, PR_ERR_USAGE, "air needs a job type, or --list; see proverun air --help");
    if (!(a.type = pr_app_job_type(argv[optind]))) return unknown_type(argv[optind], err);
    for (int i = optind + 1; i < argc; i++) PR_TRY(add_item(&a, argv[i], err));
    if (a.example && a.n) return pr_fail(err, PR_ERR_USAGE, "--example and parameters exclude each other");
    return print_air(&a, err);
}

int pr_app_air(int argc, char **argv) {
    pr_error err = {0};
    return run(argc, argv, &err) == PR_OK ? 0 : pr_app_fail(&err);
}
