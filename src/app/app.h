/* The command line: one function a subcommand. Each gets its own arguments (argv[0] is the subcommand's name) and
 * returns the exit code of design.md. Results go to standard output, messages to standard error. */
#ifndef PR_APP_APP_H
#define PR_APP_APP_H
#include "air/job_type.h"
#include "backend/backend.h"
#include "prove/prove.h"
#include <getopt.h>

int pr_app_prove(int argc, char **argv);
int pr_app_verify(int argc, char **argv);
int pr_app_audit(int argc, char **argv);
int pr_app_prove_inclusion(int argc, char **argv);
int pr_app_verify_inclusion(int argc, char **argv);
int pr_app_check(int argc, char **argv);
int pr_app_plan(int argc, char **argv);
int pr_app_air(int argc, char **argv);
int pr_app_bench(int argc, char **argv);
int pr_app_version(int argc, char **argv);
int pr_app_run(int argc, char **argv);
int pr_app_rerun(int argc, char **argv);
int pr_app_child(int argc, char **argv); /* what `run` starts */
int pr_app_show(int argc, char **argv);
int pr_app_status(int argc, char **argv);
int pr_app_journal(int argc, char **argv);
int pr_app_repair(int argc, char **argv);
int pr_app_merge(int argc, char **argv);
int pr_app_vm(int argc, char **argv);
int pr_app_keygen(int argc, char **argv);
int pr_app_decrypt(int argc, char **argv);
int pr_app_topo(int argc, char **argv);
int pr_app_simulate(int argc, char **argv);
/* Re-verifies every proof and every certificate of a results file; 0 all good, 1 with the names of the bad ones, 74
 * unreadable. key: opens encrypted jobs; NULL: these are named as not verified, exit code 1. names_voters: a line for
 * each validator, and 1 also for one that has signed wrongly and was not removed. */
struct pr_secret_key;
typedef struct pr_app_verification {
    const char *path, *inputs; /* inputs: where relative paths of the manifest begin; NULL: where the file says */
    const struct pr_secret_key *key;
    const struct pr_registry *validators; /* who may have signed; NULL: whom the file names */
    unsigned threads;                     /* 0: as many as processors */
    bool names_voters;
} pr_app_verification;
int pr_app_verify_results(const pr_app_verification *v);

/* Job types and backends: literal arrays, NULL at the end. */
extern const pr_job_type *const pr_job_types[];
extern const pr_backend *const pr_backends[];

const pr_job_type *pr_app_job_type(const char *name); /* NULL: unknown */
/* What "auto" is: a GPU's backend where this build has it and a GPU is there, else the processor's best. */
const pr_backend *pr_app_auto_backend(void);
/* A backend by name, "auto" among them. PR_ERR_USAGE names the choices; PR_ERR_BACKEND when this
 * machine lacks it. */
PR_MUST_CHECK pr_status pr_app_backend(const pr_backend **out, const char *name, pr_error *err);

/* The help of each command, from src/app/help; a NULL name at the end. */
typedef struct pr_app_help_text {
    const char *name, *text;
} pr_app_help_text;
extern const pr_app_help_text pr_app_help_texts[];

/* Prints "proverun: text" and returns the exit code of the error. */
int pr_app_fail(const pr_error *err);
/* The same for an input file named on the command line: 2 when it is unreadable. */
int pr_app_fail_reading(const pr_error *err);
/* Prints a JSON string with its quotes on standard output. */
void pr_app_print_json_text(const char *text);
/* The exit code, or 74 after a message when standard output could not be written. */
int pr_app_flush(int exit_code);
/* Under mpirun or srun, before MPI starts: whether this process speaks for all. */
bool pr_app_is_first_rank(void);
/* getopt_long (set optind = 0 before the first call; mode ":" or "-:"): -1 at the end; after an unknown or incomplete
 * option '?' or ':', with PR_ERR_USAGE in err. */
int pr_app_option(int argc, char **argv, const char *mode, const struct option *options, pr_error *err);
/* Named like a manifest: ends in .yaml or .yml. */
bool pr_app_is_yaml(const char *path);
/* An unsigned option value within [min, max]; PR_ERR_USAGE names the option and the range. */
/* A number of bytes, or one with KiB, MiB, GiB behind it; at least 1. PR_ERR_USAGE names the option. */
PR_MUST_CHECK pr_status pr_app_bytes(size_t *out, const char *option, const char *text, pr_error *err);
PR_MUST_CHECK pr_status pr_app_number(uint64_t *out, const char *option, const char *text, uint64_t min, uint64_t max,
                                      pr_error *err);
#endif
