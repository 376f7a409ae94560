/* `proverun repair RESULTS.h5`: the results file again, from its journal. */
#include "app/app.h"
#include "store/store.h"
#include <stdio.h>
#include <string.h>

/* The journal is damaged: what can be read, and what is lost. */
static int save_the_rest(const char *path) {
    pr_error err = {0};
    pr_writer told;
    bool lost;
    pr_writer_init(&told);
    pr_status status = pr_store_salvage(&lost, &told, path, &err);
    if (told.size) fwrite(told.data, 1, told.size, stdout);
    pr_writer_clear(&told);
    if (status != PR_OK) return pr_app_fail(&err);
    printf("%s: made again from what could be read of its journal; the damaged files are kept as *.damaged\n", path);
    return lost;
}

int pr_app_repair(int argc, char **argv) {
    static const struct option options[] = {{0, 0, 0, 0}};
    pr_error err = {0};
    bool rebuilt;
    optind = 0;
    if (pr_app_option(argc, argv, ":", options, &err) != -1) return pr_app_fail(&err);
    if (argc - optind != 1) {
        (void)pr_fail(&err, PR_ERR_USAGE, "repair needs one RESULTS.h5");
        return pr_app_fail(&err);
    }
    char path[4096];
    if (pr_store_follow_link(path, sizeof path, argv[optind], &err) != PR_OK) return pr_app_fail(&err);
    pr_status status = pr_store_repair(&rebuilt, path, &err);
    if (status == PR_ERR_MALFORMED) {
        printf("%s\n", err.text);
        return pr_app_flush(save_the_rest(path));
    }
    if (status == PR_OK && !rebuilt)
        status = pr_fail(&err, PR_ERR_USAGE, "%s: there is no journal beside it to make it from", path);
    if (status != PR_OK) return pr_app_fail(&err);
    printf("%s: made again from its journal, nothing lost\n", path);
    return pr_app_flush(0);
}
