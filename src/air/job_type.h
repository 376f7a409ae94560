/* What a job type gives: parameters, AIR, trace, public data. Each lives in jobs/<type>/ and is listed in
 * src/app/job_types.c. */
#ifndef PR_AIR_JOB_TYPE_H
#define PR_AIR_JOB_TYPE_H
#include "air/statement.h"
#include "base/bytes.h"

typedef struct pr_param {
    const char *name;
    const char *value;
} pr_param; /* scalars as text */
typedef struct pr_params {
    const char *base_dir; /* relative paths start here (the manifest's folder) */
    size_t n;
    const pr_param *items;
} pr_params;

typedef enum pr_param_kind {
    PR_PARAM_UINT,
    PR_PARAM_PATH,
    PR_PARAM_TEXT,
    PR_PARAM_ANY_TEXT /* also an empty one, which a manifest has in quotes */
} pr_param_kind;
typedef struct pr_param_spec {
    const char *name;
    pr_param_kind kind;
    bool required;
    const char *default_text; /* NULL: none */
    uint64_t min, max;        /* UINT */
    const char *help;         /* one line, with unit */
} pr_param_spec;

/* What parameters are to each other, and to what may stand in them. */
typedef enum pr_param_rule_kind {
    PR_RULE_ONE_OF,      /* one of the names is given, and no other */
    PR_RULE_AT_MOST_ONE, /* one of them, or none */
    PR_RULE_NEEDS,       /* names[0] is given only with names[1] */
    PR_RULE_CHOICE,      /* the value of names[0] is one of the others */
    PR_RULE_ONLY_WITH    /* names[0] is given only where the value of names[1] is one of the others */
} pr_param_rule_kind;
typedef struct pr_param_rule {
    pr_param_rule_kind kind;
    const char *names[7]; /* NULL behind the last */
} pr_param_rule;

typedef struct pr_job_instance pr_job_instance; /* each type defines its own */

/* Where a trace's rows stand in its columns. */
typedef enum pr_job_order {
    PR_JOB_ROW_ORDER,    /* place i is row i */
    PR_JOB_STORAGE_ORDER /* place i is the row r with pr_slot_of_row(log_size, r) = i */
} pr_job_order;

typedef struct pr_output {
    const char *name;
    char value[160];
} pr_output;

/* How large a proof will be, from the parameters alone: what a scheduler needs before anything is read. */
typedef struct pr_job_size {
    uint32_t log_rows;       /* of the largest component */
    uint32_t n_trees;        /* of preprocessed, trace and interaction: those that are not empty */
    uint64_t cells;          /* rows times columns over all of these, before the blow-up; a secure column is four */
    uint32_t log_blowup;     /* 0: that of the job's profile */
    uint64_t n_columns;      /* of these trees; 0: cells >> log_rows */
    uint64_t n_values;       /* preprocessed, of the cells */
    uint64_t n_looked_up;    /* of the cells, those that lookups read: kept twice for a while; 0: next to none */
    uint64_t instance_bytes; /* what an instance holds beside the proof: inputs, preprocessed values */
} pr_job_size;

typedef struct pr_job_type {
    const char *name;
    uint32_t version;
    const char *summary; /* the statement in one sentence */
    const pr_param_spec *params;
    size_t n_params;
    const pr_param_rule *rules; /* that pr_params_check applies, in order, once each parameter is good by itself */
    size_t n_rules;
    const pr_param *example; /* the parameters of example.yaml */
    size_t n_example;
    /* An instance's life is pr_instance_create's, below; a type fills and empties it. */
    size_t instance_bytes;
    /* Reads inputs and builds the AIR; parameters are checked against the spec by pr_params_check first. job: zeroed;
     * clear follows, whatever the status. PR_ERR_INPUT: this job's input is missing or unreadable. */
    pr_status (*load)(pr_job_instance *job, const pr_params *params, pr_error *err);
    /* Frees what the instance holds, however far load came. */
    void (*clear)(pr_job_instance *job);
    const pr_air *(*air)(const pr_job_instance *job);
    /* Public inputs and outputs, canonical, for the statement digest. */
    void (*write_public)(const pr_job_instance *job, pr_writer *out);
    size_t (*outputs)(const pr_job_instance *job, pr_output *out, size_t capacity); /* count */
    /* As load, from recorded public data alone (no input file), for offline verification: enough for air(),
     * write_public(), outputs(). params may be NULL. */
    pr_status (*load_public)(pr_job_instance *job, const pr_params *params, const void *public_data, size_t size,
                             pr_error *err);
    /* Fills the trace of a component: columns[k] has 1 << log_size words. order: PR_JOB_ROW_ORDER unless the type fills
     * storage as well. Of a component with n_derived all derived columns may be NULL: they are not asked for. */
    pr_status (*trace)(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                       unsigned n_threads, pr_error *err);
    bool fills_storage; /* trace takes PR_JOB_STORAGE_ORDER too, at no cost */
    /* Optional, may be NULL: the size, cheaply, parameters already checked. An input's length comes from stat; no input
     * is read, at most a program or a case that says what is done with them. PR_ERR_INPUT: it is missing. */
    pr_status (*size)(pr_job_size *out, const pr_params *params, pr_error *err);
    /* Optional, may be NULL: the size as it will be, where inputs decide it, by reading them and doing what is done
     * with them in at most *effort steps, of 100 ns at most; those that it took are taken off. Any error: it is not
     * known. */
    pr_status (*try_size)(pr_job_size *out, const pr_params *params, uint64_t *effort, pr_error *err);
    /* Optional, may be NULL: adds the public terms of the instance's relations to the statement (of air(), with no
     * public terms yet), from public data alone. */
    pr_status (*public_terms)(const pr_job_instance *job, pr_statement *st, pr_error *err);
    /* Optional, may be NULL: another system's statement, whose parameters, digest and transcript are used instead of
     * those of the job's profile and our own; NULL from it: ours. Borrowed. The job's own digest covers them. */
    const pr_statement *(*foreign)(const pr_job_instance *job);
    /* Optional, may be NULL: asked when the verifier refused the instance's own proof. PR_ERR_INPUT: the trace is at
     * fault, and names why; PR_OK: it is not. */
    pr_status (*diagnose)(const pr_job_instance *job, unsigned n_threads, pr_error *err);
} pr_job_type;

/* Of a type's definition: an array and its length. */
#define PR_JOB_TABLE(field, table) .field = (table), .n_##field = sizeof(table) / sizeof *(table)

/* An instance loaded from parameters that are checked, or from recorded public data; the caller destroys it. *out is
 * NULL unless PR_OK. */
PR_MUST_CHECK pr_status pr_instance_create(pr_job_instance **out, const pr_job_type *type, const pr_params *params,
                                           pr_error *err);
PR_MUST_CHECK pr_status pr_instance_create_public(pr_job_instance **out, const pr_job_type *type,
                                                  const pr_params *params, const void *public_data, size_t size,
                                                  pr_error *err);
void pr_instance_destroy(const pr_job_type *type, pr_job_instance *job); /* NULL allowed */

/* Unknown, missing, out of range, against a rule: PR_ERR_USAGE naming the parameter and what is allowed. index gets the
 * offending item (n if missing). */
PR_MUST_CHECK pr_status pr_params_check(const pr_job_type *type, const pr_params *params, size_t *index, pr_error *err);
const char *pr_params_get(const pr_job_type *type, const pr_params *params,
                          const char *name); /* value or default, or NULL */
uint64_t pr_params_get_uint(const pr_job_type *type, const pr_params *params, const char *name);
#endif
