/* The statement of mlp_inference and the places of its columns, shared by its AIR and its trace. */
#ifndef PR_JOBS_MLP_INFERENCE_LAYOUT_H
#define PR_JOBS_MLP_INFERENCE_LAYOUT_H
#include "mlp_inference/model.h"

enum {
    PR_MLP_MAX_IMAGES = 128,
    PR_MLP_MIN_LOG_ROWS = 4,
    PR_MLP_LOG_RANGE = 16, /* table of 16 bits */
    PR_MLP_LOG_BYTES = 8,
    /* Columns of a hidden unit. */
    PR_MLP_SIGN = 0,
    PR_MLP_LOW = 1,
    PR_MLP_HIGH = 2,
    PR_MLP_REST = 3,
    PR_MLP_VALUE = 4,
    PR_MLP_UNIT_COLUMNS = 5,
    /* Components. */
    PR_MLP_IMAGES = 0,
    PR_MLP_RANGE_16 = 1,
    PR_MLP_RANGE_8 = 2
};

/* Everything is public but the numbers in between. */
typedef struct pr_mlp_public {
    pr_mlp_model model;
    uint32_t n_images, width, classes; /* width: the model's inputs */
    uint8_t *images;                   /* [n_images][width], owned */
    uint8_t *labels;                   /* [n_images], owned: as read, nothing is proven about them */
    int32_t *logits;                   /* [n_images][classes], owned */
} pr_mlp_public;

static inline uint32_t pr_mlp_log_rows(uint32_t n_images) {
    uint32_t log = PR_MLP_MIN_LOG_ROWS;
    while (1u << log < n_images) log++;
    return log;
}

PR_MUST_CHECK pr_status pr_mlp_air(pr_air **out, const pr_mlp_public *statement, pr_error *err);
#endif
