/* proverun rerun RESULTS.h5: the manifest comes out of the results file. */
#include "app/app.h"
#include "app/run_options.h"
#include "store/store.h"
#include <stdlib.h>
#include <string.h>

typedef struct origin {
    char *text, *dir;
} origin;

static pr_status copy(char **out, const char *text, pr_error *err) {
    *out = strdup(text);
    return *out ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory");
}

static pr_status take_origin(origin *from, const pr_results *r, const char *path, pr_error *err) {
    const char *text = pr_results_attribute(r, "manifest_text"), *dir = pr_results_attribute(r, "manifest_dir");
    if (!text || !text[0]) return pr_fail(err, PR_ERR_USAGE, "%s: holds no manifest", path);
    PR_TRY(copy(&from->text, text, err));
    return copy(&from->dir, dir && dir[0] ? dir : ".", err);
}

/* Each rank reads the file: what rank 0 makes of it goes to the others. */
static pr_status read_origin(origin *from, const char *path, pr_error *err) {
    pr_results *r = NULL;
    PR_TRY(pr_results_probe(path, err));
    PR_TRY(pr_results_open(&r, path, err));
    pr_status status = take_origin(from, r, path, err);
    pr_results_close(r);
    return status;
}

static pr_status prepare(pr_run_options *o, origin *from, int argc, char **argv, pr_error *err) {
    PR_TRY(pr_app_run_arguments(o, &o->manifest_path, argc, argv, err));
    if (!o->manifest_path) return pr_fail(err, PR_ERR_USAGE, "rerun needs a results file; see proverun rerun --help");
    if (o->resume || o->watch_dir)
        return pr_fail(err, PR_ERR_USAGE, "rerun begins a new run: neither --resume nor --watch");
    if (!pr_app_is_first_rank()) { /* it gets the manifest from rank 0 */
        PR_TRY(copy(&from->text, "", err));
        return copy(&from->dir, ".", err);
    }
    return read_origin(from, o->manifest_path, err);
}

int pr_app_rerun(int argc, char **argv) {
    pr_run_options o = pr_app_run_defaults();
    pr_error err = {0};
    origin from = {0};
    int exit_code;
    char *command_line = pr_app_run_join(argc, argv);
    pr_status status =
        command_line ? prepare(&o, &from, argc, argv, &err) : pr_fail(&err, PR_ERR_MEMORY, "out of memory");
    if (status != PR_OK) {
        exit_code = pr_app_run_complain(&err);
    } else {
        o.command_line = command_line;
        o.manifest_text = from.text;
        o.manifest_dir = from.dir;
        exit_code = pr_cluster_run(&o);
    }
    free(from.text);
    free(from.dir);
    free(command_line);
    return exit_code;
}
