#include "air/profile.h"
#include <stdio.h>
#include <string.h>

/* Queries cost less than grinding on a processor: 20 bits of work are some milliseconds, 26 bits a second. */
const pr_profile pr_profiles[] = {
    {"fast",
     "for tests only: 12 bits conjectured",
     {.pow_bits = 4, .log_blowup = 1, .n_queries = 8, .fold_step = 1, .lifting_log_size = -1}},
    {"standard",
     "96 bits under the up-to-capacity conjecture: blow-up 2, 76 queries, 20 bits of work",
     {.pow_bits = 20,
      .log_blowup = 1,
      .n_queries = 76,
      .log_last_layer_degree_bound = 1,
      .fold_step = 2,
      .lifting_log_size = -1}},
    {"conservative",
     "96 bits proven in unique decoding: blow-up 4, 113 queries, 20 bits of work",
     {.pow_bits = 20,
      .log_blowup = 2,
      .n_queries = 113,
      .log_last_layer_degree_bound = 1,
      .fold_step = 2,
      .lifting_log_size = -1}},
    {.name = NULL},
};

pr_status pr_profile_config(pr_config *out, const char *name, pr_error *err) {
    char names[128] = "";
    size_t n = 0;
    for (const pr_profile *p = pr_profiles; p->name; p++) {
        if (!strcmp(p->name, name)) {
            *out = p->config;
            return PR_OK;
        }
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", p->name);
    }
    return pr_fail(err, PR_ERR_USAGE, "no profile '%s'; allowed: %s", name, names);
}
