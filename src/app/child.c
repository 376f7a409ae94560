/* `proverun child SUPERVISOR [PLACE]`: the prover child of a rank. Internal: not in the list of commands. */
#include "app/app.h"
#include "base/log.h"
#include "child/serve.h"
#include "cpu/cpu_backend.h"
#include "placement/placement.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef PR_TEST_FAULTS
extern const pr_child_faults pr_test_faults; /* tests/child/faults.c */
#define FAULTS &pr_test_faults
#else
#define FAULTS NULL
#endif

/* Binds this process and begins anew, so that libraries that look at processors when they are loaded see the place. */
static int start_in_place(const char *supervisor, const char *text) {
    static pr_place place;
    char note[512] = "";
    pr_error err = {0};
    if (pr_place_parse(&place, text, &err) != PR_OK) return pr_app_fail(&err);
    if (pr_place_apply(&place, note, sizeof note, &err) != PR_OK)
        pr_log(PR_LOG_WARN, "child", "proves where it happens to be: %s", err.text);
    if (note[0]) pr_log(PR_LOG_INFO, "child", "%s", note);
    execl("/proc/self/exe", "proverun", "child", supervisor, (char *)NULL);
    (void)pr_fail(&err, PR_ERR_INTERNAL, "a prover child cannot begin anew: %s", strerror(errno));
    return pr_app_fail(&err);
}

/* The rank has found it by this name: a child to which it is not there any more has lost the device. */
static pr_status find_backend(const pr_backend **out, const char *name, pr_error *err) {
    pr_error why = {0};
    if (pr_app_backend(out, name, &why) == PR_OK) return PR_OK;
    return pr_fail(err, PR_ERR_BACKEND, "%s", why.text);
}

int pr_app_child(int argc, char **argv) {
    const pr_serve_options options = {pr_job_types, find_backend, pr_cpu_best(), FAULTS};
    pid_t supervisor = argc > 1 ? (pid_t)strtol(argv[1], NULL, 10) : 0;
    if (argc < 2 || argc > 3 || supervisor <= 0) {
        fputs("proverun: `child` is started by `proverun run`, not by hand\n", stderr);
        return 2;
    }
    if (argc == 3) return pr_child_bind_life(supervisor) ? start_in_place(argv[1], argv[2]) : 0;
    int code = pr_child_serve(supervisor, &options);
    if (code == 2) fputs("proverun: `child` is started by `proverun run`, not by hand\n", stderr);
    return code;
}
