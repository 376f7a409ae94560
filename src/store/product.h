/* The HDF5 file of a run and the rows that wait for it, within this module. What is put here is a function of the
 * journal's frames, so that a file made again from them has the same content. The file is closed but for the time of a
 * flush. Not thread safe. */
#ifndef PR_STORE_PRODUCT_H
#define PR_STORE_PRODUCT_H
#include "store/hdf.h"
#include "store/store.h"
#include "store/vote_rows.h"

typedef enum pr_place { /* the tables, in the order in which rows are written: a job's row after its parts */
                        PR_TABLE_PARAMS,
                        PR_TABLE_OUTPUTS,
                        PR_TABLE_ATTEMPTS,
                        PR_TABLE_PROOFS,
                        PR_TABLE_PUBLICS,
                        PR_TABLE_JOBS,
                        PR_TABLE_SESSIONS,
                        PR_TABLE_EVENTS,
                        PR_TABLE_METRICS,
                        PR_TABLE_VOTES, /* the first of pr_vote_table's, in its order */
                        PR_TABLES = PR_TABLE_VOTES + PR_VOTES_TABLES
} pr_place;
typedef struct pr_table_plan {
    const char *name, *help;
    const pr_row_spec *spec;
} pr_table_plan;
extern const pr_table_plan pr_table_plans[PR_TABLES];
enum { PR_BLOB_PROOFS, PR_BLOB_PUBLICS, PR_BLOB_SIGNED, PR_BLOBS };
extern const char *const pr_blob_names[PR_BLOBS];

typedef struct pr_known_job {
    char id[128];
    uint64_t row;
    uint32_t outcome;
} pr_known_job;

typedef struct pr_waiting {
    char *rows;
    size_t n, capacity;
    uint64_t written; /* rows that the file has */
} pr_waiting;

typedef struct pr_product {
    char *path;
    pr_waiting tables[PR_TABLES];
    pr_writer blobs[PR_BLOBS], attributes, replaced; /* what waits */
    uint64_t blob_written[PR_BLOBS];
    pr_known_job *jobs; /* open addressing by id, capacity a power of two */
    size_t n_jobs, job_capacity;
    struct pr_named_job *names; /* the same by the name that the consensus has for a job */
    size_t n_names, name_capacity;
    pr_validator_row *validators; /* [n_validators], as in the file */
    uint32_t n_validators;
    uint64_t n_ballots;         /* records of the consensus */
    pr_session_row session;     /* the last one */
    uint64_t first_ns, last_ns; /* times of the first and the last frame */
    uint64_t refused_ns;        /* monotonic: since when a reader keeps us out; 0: none */
    bool dirty;
} pr_product;

PR_MUST_CHECK pr_status pr_product_init(pr_product *p, const char *path, pr_error *err);
void pr_product_clear(pr_product *p); /* what waits is lost */
/* A new file with empty tables. excl: refuses to overwrite. */
PR_MUST_CHECK pr_status pr_product_create_file(pr_product *p, bool excl, pr_error *err);
void pr_product_touch(pr_product *p, uint64_t time_ns); /* the time of a frame that is put */
PR_MUST_CHECK pr_status pr_product_put(pr_product *p, const pr_record *record, pr_error *err);
PR_MUST_CHECK pr_status pr_product_row(pr_product *p, pr_place table, const void *row, pr_error *err);
PR_MUST_CHECK pr_status pr_product_attribute(pr_product *p, const char *name, const char *value, pr_error *err);
/* Of the row at index, which was put before. */
PR_MUST_CHECK pr_status pr_product_replace(pr_product *p, pr_place table, uint64_t index, const void *row,
                                           pr_error *err);
/* Adds bytes to a blob; *offset is where they begin. */
PR_MUST_CHECK pr_status pr_product_bytes(pr_product *p, int blob, uint64_t *offset, const void *bytes, size_t size,
                                         pr_error *err);
/* From now on rows of the consensus can say which job they are about. */
PR_MUST_CHECK pr_status pr_product_name_job(pr_product *p, const char *id, pr_error *err);
/* The same, and an attempt of this number was handed out. */
PR_MUST_CHECK pr_status pr_product_assign(pr_product *p, const char *id, uint32_t attempt, pr_error *err);
uint32_t pr_product_last_assigned(const pr_product *p, const char *id); /* the highest number; 0: none */
/* Numbers the row; end overwrites the last one. */
PR_MUST_CHECK pr_status pr_product_begin_session(pr_product *p, const pr_session_row *row, pr_error *err);
PR_MUST_CHECK pr_status pr_product_end_session(pr_product *p, const pr_session_row *row, pr_error *err);
const pr_known_job *pr_product_find(const pr_product *p, const char *id); /* NULL: no row */
uint64_t pr_product_pending(const pr_product *p);
typedef enum pr_patience { PR_FLUSH_LATER, PR_FLUSH_NOW } pr_patience;
/* Later: not while a reader has the file open (for PR_STORE_READER_NS). Now: waits for it for two seconds at most. */
PR_MUST_CHECK pr_status pr_product_flush(pr_product *p, pr_patience patience, pr_error *err);
PR_MUST_CHECK pr_status pr_product_sync(const pr_product *p, pr_error *err); /* fsync of the file and its folder */
#endif
