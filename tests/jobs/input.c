#include "input.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

char input_folder[64];

int input_make_folder(void **state) {
    (void)state;
    snprintf(input_folder, sizeof input_folder, "proverun-test-XXXXXX");
    return mkdtemp(input_folder) ? 0 : -1;
}

int input_remove_folder(void **state) {
    (void)state;
    DIR *d = opendir(input_folder);
    if (!d) return -1;
    for (const struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    return rmdir(input_folder);
}

input_path input_path_of(const char *name) {
    input_path path;
    assert_in_range(snprintf(path.text, sizeof path.text, "%s/%s", input_folder, name), 1, sizeof path.text - 1);
    return path;
}

void input_write(const char *name, const void *data, size_t size) {
    FILE *f = fopen(input_path_of(name).text, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

pr_status input_try(pr_job_instance **job, const pr_job_type *type, const char *path, pr_error *err) {
    const pr_param item = {"path", path};
    const pr_params params = {.base_dir = input_folder, .n = 1, .items = &item};
    return pr_instance_create(job, type, &params, err);
}

pr_job_instance *input_job(const pr_job_type *type, const void *data, size_t size) {
    pr_job_instance *job = NULL;
    pr_error err = {0};
    input_write("input", data, size);
    if (input_try(&job, type, "input", &err) != PR_OK) fail_msg("%s", err.text);
    return job;
}
