/* Files that a test of a job type takes its inputs from, in a folder of its own below the one where it runs. */
#ifndef PR_TESTS_JOBS_INPUT_H
#define PR_TESTS_JOBS_INPUT_H
#include "air/job_type.h"

extern char input_folder[64];
/* cmocka's set-up and tear-down of a group; the folder goes with all files in it. */
int input_make_folder(void **state);
int input_remove_folder(void **state);

typedef struct input_path {
    char text[128];
} input_path;
input_path input_path_of(const char *name);
void input_write(const char *name, const void *data, size_t size);

/* A job whose one parameter is `path`, of the folder; and one of the file `input` with these bytes, which must be good.
 */
pr_status input_try(pr_job_instance **job, const pr_job_type *type, const char *path, pr_error *err);
pr_job_instance *input_job(const pr_job_type *type, const void *data, size_t size);
#endif
