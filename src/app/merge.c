/* `proverun merge A.h5 B.h5 -o C.h5` */
#include "app/app.h"
#include "store/store.h"
#include <stdio.h>

int pr_app_merge(int argc, char **argv) {
    static const struct option options[] = {{"output", 1, 0, 'o'}, {0, 0, 0, 0}};
    const char *output = NULL;
    pr_error err = {0};
    pr_writer told;
    size_t n_conflicts;
    int c;
    optind = 0;
    while ((c = pr_app_option(argc, argv, ":o:", options, &err)) != -1) {
        if (c != 'o') return pr_app_fail(&err);
        output = optarg;
    }
    if (!output || argc - optind < 1) {
        (void)pr_fail(&err, PR_ERR_USAGE, "merge needs results files and -o MERGED.h5");
        return pr_app_fail(&err);
    }
    pr_writer_init(&told);
    pr_status status =
        pr_store_merge(&n_conflicts, &told, output, (const char *const *)argv + optind, (size_t)(argc - optind), &err);
    if (told.size) fwrite(told.data, 1, told.size, stdout);
    pr_writer_clear(&told);
    if (status != PR_OK) return pr_app_fail(&err);
    printf("%s: %zu conflicts\n", output, n_conflicts);
    return pr_app_flush(n_conflicts > 0);
}
