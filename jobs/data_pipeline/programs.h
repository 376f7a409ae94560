/* The programs of data_pipeline. */
#ifndef PR_JOBS_DATA_PIPELINE_PROGRAMS_H
#define PR_JOBS_DATA_PIPELINE_PROGRAMS_H
#include "vm/isa.h"

enum { PR_PIPELINE_MAX_BINS = 4096 };

typedef struct pr_pipeline {
    const char *operation; /* a name of programs.c */
    uint32_t from, to;     /* count: values from <= x <= to */
    uint32_t width, bins;  /* histogram: bin k has from + k * width <= x < from + (k + 1) * width; both at least 1 */
} pr_pipeline;

/* PR_ERR_USAGE: no such operation; the text lists them. PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_pipeline_program(pr_vm_program *out, const pr_pipeline *pipeline, pr_error *err);
#endif
