/* Named proof parameters. Every report shows the bits they give for the statement at hand (docs/security.md). */
#ifndef PR_AIR_PROFILE_H
#define PR_AIR_PROFILE_H
#include "air/statement.h"

typedef struct pr_profile {
    const char *name, *summary;
    pr_config config; /* lifting_log_size -1: pr_statement_choose_lifting decides */
} pr_profile;

#define PR_DEFAULT_PROFILE "standard"

/* fast (tests only), standard (96 bits conjectured), conservative (96 bits proven, unique decoding); the name of the
 * last entry is NULL. */
extern const pr_profile pr_profiles[];

/* PR_ERR_USAGE names the profiles that exist. */
PR_MUST_CHECK pr_status pr_profile_config(pr_config *out, const char *name, pr_error *err);
#endif
