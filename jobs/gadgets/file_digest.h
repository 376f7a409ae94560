/* Jobs that prove the digest of a file: what hash functions of blocks of 64 bytes and a chain of eight words share.
 * A kind gives the hash function, its AIR and the rows of its components; here are the file's bytes, the public data,
 * and the trace, sixteen rows at a time, in whatever order the columns have.
 *
 * The AIR has parts: functions of fixed input and output, such as a round, each row of which is one true case with a
 * multiplicity, and last the compressions, one row a block, which look the functions up. A function's rows may be cut
 * in two components of different size, so that little is padded. Behind the rows of the blocks every cell is zero: each
 * function maps zeros to zeros, and compressions that pad look that row up.
 *
 * Public data, 40 bytes: the length (u64, little-endian), the digest as it is printed. Read-only after creation: any
 * thread may read. */
#ifndef PR_JOBS_GADGETS_FILE_DIGEST_H
#define PR_JOBS_GADGETS_FILE_DIGEST_H
#include "air/job_type.h"
#include "gadgets/byte_source.h"
#include "gadgets/byte_tables.h"
#include "gadgets/split_tables.h"

enum {
    PR_DIGEST_BYTES = 32,
    PR_DIGEST_BLOCK = 64,   /* bytes */
    PR_DIGEST_CHAIN = 8,    /* words from block to block */
    PR_DIGEST_MESSAGE = 16, /* words of a block */
    PR_DIGEST_LANES = 16,   /* rows worked on together */
    PR_DIGEST_MIN_LOG_ROWS = 4,
    PR_DIGEST_MAX_PARTS = 3,
    PR_DIGEST_MAX_COLUMNS = 1200,
    PR_DIGEST_MAX_LOG_BLOCKS = 20,
    PR_DIGEST_TABLES = PR_BYTE_OPS + PR_SPLITS
};

typedef struct pr_digest_public {
    uint64_t length; /* bytes */
    uint8_t digest[PR_DIGEST_BYTES];
} pr_digest_public;

/* What a prover knows. */
typedef struct pr_digest_walk {
    uint64_t length;
    uint32_t n_blocks;
    uint32_t (*messages)[PR_DIGEST_MESSAGE]; /* [n_blocks], owned */
    uint32_t *inner;                         /* [n_blocks][n_inner of the kind] words inside of compressions, owned */
} pr_digest_walk;

typedef struct pr_digest_part {
    uint32_t n_columns, n_lookups;
    uint64_t n_rows;    /* that belong to blocks */
    uint32_t zero_uses; /* how often the row of zeros behind them is looked up */
    uint32_t n_components;
    uint32_t log_rows[2]; /* of its components; rows go on from one to the next */
} pr_digest_part;

typedef struct pr_digest_shape {
    uint32_t n_blocks, log_blocks, n_parts; /* the last part: the compressions, a single component */
    pr_digest_part parts[PR_DIGEST_MAX_PARTS];
} pr_digest_shape;

/* Sixteen rows of a part. Row number step * n_blocks + block is of that block: its rows of a function are n_blocks
 * apart. */
typedef struct pr_digest_rows {
    uint32_t part;
    unsigned n_lanes; /* those that count */
    const pr_digest_walk *walk;
    bool is_live[PR_DIGEST_LANES]; /* false: a row of zeros, behind those of the blocks */
    uint32_t block[PR_DIGEST_LANES], step[PR_DIGEST_LANES];
    uint32_t multiplicity[PR_DIGEST_LANES];
    uint32_t *
        *counts; /* [PR_DIGEST_TABLES] what is looked up, for each table that is not NULL; NULL: nothing is counted */
    uint32_t (*cells)[PR_DIGEST_LANES]; /* [n_columns] of the part, aligned to 64 bytes; NULL: nothing is written */
} pr_digest_rows;

typedef struct pr_digest_kind {
    const pr_job_type *type;
    const pr_byte_op *ops; /* of the component of byte tables, which comes behind the parts */
    uint32_t n_ops;
    const pr_split *splits; /* of the component of splits, behind it */
    uint32_t n_splits;
    uint32_t n_selectors; /* preprocessed columns of the compressions */
    uint64_t max_length;
    uint32_t (*n_blocks)(uint64_t length);
    void (*shape)(pr_digest_shape *out, uint32_t n_blocks);
    /* Puts the 16 words of each block; data: [length]. */
    void (*cut)(uint32_t (*messages)[PR_DIGEST_MESSAGE], const uint8_t *data, uint64_t length);
    const uint32_t *initial; /* [PR_DIGEST_CHAIN] */
    uint32_t n_inner;        /* words that rows need of a compression */
    void (*compress)(uint32_t *chain, uint32_t *inner, const uint32_t *message, const pr_digest_walk *walk,
                     uint32_t block);
    bool big_endian; /* how the words of the digest are printed */
    pr_status (*air)(pr_air **out, const pr_digest_public *statement, pr_error *err);
    void (*rows)(const pr_digest_rows *rows);
    /* Counts what the end of the file is looked up for. */
    void (*count_end)(uint32_t **counts, const pr_digest_walk *walk);
} pr_digest_kind;

/* Fills n_components and log_rows for a part of that many rows. */
void pr_digest_cover(pr_digest_part *part, uint64_t n_rows);
static inline uint32_t pr_digest_log_blocks(uint32_t n_blocks) {
    uint32_t log = PR_DIGEST_MIN_LOG_ROWS;
    while (1u << log < n_blocks) log++;
    return log;
}

/* A preprocessed column that is 1 on rows first .. end - 1 and 0 on the others. */
PR_MUST_CHECK pr_status pr_digest_add_selector(pr_air_builder *b, const char *id, uint32_t log_rows, uint32_t first,
                                               uint32_t end, pr_error *err);
/* Of the compressions: goes_on, 1 on all blocks but the last; final, on the last; seam, on the last row of all, which
 * comes before row 0 because rows are cyclic. */
PR_MUST_CHECK pr_status pr_digest_add_selectors(pr_air_builder *b, const pr_digest_shape *shape, pr_error *err);

/* The instance of the job types on a kind. */
struct pr_job_instance {
    const pr_digest_kind *kind;
    pr_bytes_label label;
    pr_digest_public statement;
    pr_digest_shape shape;
    pr_digest_walk walk; /* empty in an instance made for verification */
    pr_air *air;
};

/* The functions of a job type; load, load_public and size take the kind, the rest knows it. */
PR_MUST_CHECK pr_status pr_digest_load(pr_job_instance *job, const pr_digest_kind *kind, const pr_params *params,
                                       pr_error *err);
PR_MUST_CHECK pr_status pr_digest_load_public(pr_job_instance *job, const pr_digest_kind *kind, const pr_params *params,
                                              const void *public_data, size_t size, pr_error *err);
PR_MUST_CHECK pr_status pr_digest_size(pr_job_size *out, const pr_digest_kind *kind, const pr_params *params,
                                       pr_error *err);
void pr_digest_clear(pr_job_instance *job);
const pr_air *pr_digest_air(const pr_job_instance *job);
void pr_digest_write_public(const pr_job_instance *job, pr_writer *out);
size_t pr_digest_outputs(const pr_job_instance *job, pr_output *out, size_t capacity);
pr_status pr_digest_trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                          unsigned n_threads, pr_error *err);
#endif
