#include "app/app.h"
#include "app/run_options.h"
#include <stdlib.h>

static pr_status read_arguments(pr_run_options *o, int argc, char **argv, pr_error *err) {
    PR_TRY(pr_app_run_arguments(o, &o->manifest_path, argc, argv, err));
    if (o->watch_dir) {
        if (o->manifest_path || o->resume)
            return pr_fail(err, PR_ERR_USAGE, "--watch takes manifests from its folder: neither MANIFEST nor --resume");
        return PR_OK;
    }
    if (!o->manifest_path && o->resume && o->resume[0]) { /* --resume MANIFEST */
        o->manifest_path = o->resume;
        o->resume = "";
    }
    if (!o->manifest_path) return pr_fail(err, PR_ERR_USAGE, "run needs a manifest; see proverun run --help");
    if (o->retry_failed && !o->resume) return pr_fail(err, PR_ERR_USAGE, "--retry-failed goes with --resume");
    return PR_OK;
}

int pr_app_run(int argc, char **argv) {
    pr_run_options o = pr_app_run_defaults();
    pr_error err = {0};
    char *command_line = pr_app_run_join(argc, argv);
    pr_status status =
        command_line ? read_arguments(&o, argc, argv, &err) : pr_fail(&err, PR_ERR_MEMORY, "out of memory");
    int exit_code = 0;
    if (status != PR_OK) {
        exit_code = pr_app_run_complain(&err);
    } else {
        o.command_line = command_line;
        exit_code = pr_cluster_run(&o);
    }
    free(command_line);
    return exit_code;
}
