#include "air/profile.h"
#include "air/internal.h"
#include "air/security.h"
#include <math.h>
#include <stdio.h>

/* Queries cost less than grinding on a processor: 20 bits of work are some milliseconds, 26 bits a second.
 * conservative keeps blow-up 2 though 4 would need 113 queries only: what is proven about the commit phase loses a bit
 * with each doubling of the domain, and 2^20 rows of 100 columns still reach 96 bits so. */
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
     "96 bits proven in unique decoding: blow-up 2, 184 queries, 20 bits of work",
     {.pow_bits = 20,
      .log_blowup = 1,
      .n_queries = 184,
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

static void fit_folds(pr_config *c, uint32_t log_lifted) {
    while (log_lifted < c->fold_step + c->log_last_layer_degree_bound + c->log_blowup) {
        if (c->log_last_layer_degree_bound > 0)
            c->log_last_layer_degree_bound--;
        else if (c->fold_step > 1)
            c->fold_step--;
        else
            return;
    }
}

/* A bit is kept in hand for public terms. */
static uint32_t interaction_bits(const pr_air *air) {
    double missing = PR_SECURITY_MIN_BITS + 1 - pr_security_lookup_bits(air);
    return missing > 0 ? (uint32_t)ceil(missing) : 0;
}

pr_status pr_profile_fit(pr_config *config, const pr_air *air, pr_error *err) {
    pr_config c = *config;
    PR_TRY(pr_statement_choose_lifting(&c.lifting_log_size, air, c.log_blowup, err));
    fit_folds(&c, c.lifting_log_size >= 0 ? (uint32_t)c.lifting_log_size : pr_air_log_max_rows(air) + c.log_blowup);
    if (air->n_relations) c.interaction_pow_bits = pr_air_max_u32(c.interaction_pow_bits, interaction_bits(air));
    *config = c;
    return PR_OK;
}
