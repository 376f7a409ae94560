/* Options that `run` and `rerun` have in common. */
#ifndef PR_APP_RUN_OPTIONS_H
#define PR_APP_RUN_OPTIONS_H
#include "cluster/cluster.h"

/* Defaults of the program. */
pr_run_options pr_app_run_defaults(void);
/* argv[0] is the command's name. *argument: the one word that is no option; NULL: none. */
PR_MUST_CHECK pr_status pr_app_run_arguments(pr_run_options *o, const char **argument, int argc, char **argv,
                                             pr_error *err);
/* Runs, or complains, and returns the exit code. */
int pr_app_run_complain(const pr_error *err);
/* The words as given, a space between them; heap memory. NULL: out of memory. */
char *pr_app_run_join(int argc, char **argv);
#endif
