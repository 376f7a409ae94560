/* Named proof parameters. Every report shows the bits they give for the statement at hand (docs/security.md). */
#ifndef PR_AIR_PROFILE_H
#define PR_AIR_PROFILE_H
#include "air/statement.h"

typedef struct pr_profile {
    const char *name, *summary;
    pr_config config; /* see pr_profile_fit for what depends on the AIR */
} pr_profile;

#define PR_DEFAULT_PROFILE "standard"

/* fast (tests only), standard (96 bits conjectured), conservative (96 bits proven, unique decoding); the name of the
 * last entry is NULL. */
extern const pr_profile pr_profiles[];

/* Makes a profile's parameters fit an AIR: chooses the lifting size; lowers fold_step and log_last_layer_degree_bound
 * where a trace is too small for them; with relations, sets interaction_pow_bits to what keeps the lookup term at
 * PR_SECURITY_MIN_BITS (0 but for very many lookups). Never changes what the bits rest on otherwise: blow-up, queries
 * and pow_bits. PR_ERR_REFUSED as pr_statement_choose_lifting. */
PR_MUST_CHECK pr_status pr_profile_fit(pr_config *config, const pr_air *air, pr_error *err);

/* PR_ERR_USAGE names the profiles that exist. */
PR_MUST_CHECK pr_status pr_profile_config(pr_config *out, const char *name, pr_error *err);
#endif
