/* The public data of a statement of this type: the case itself without its trace where it is short, else the digest of
 * its AIR; byte by byte in docs/statement.md. */
#ifndef PR_JOBS_AIR_PUBLIC_H
#define PR_JOBS_AIR_PUBLIC_H
#include "casefile/casefile.h"

#define PR_AIR_PUBLIC_MAX_TEXT ((size_t)1 << 20) /* bytes of a case that is written whole */

typedef enum pr_air_binding {
    PR_AIR_BINDING_OWN, /* parameters of the job's profile, our digest, our transcript */
    PR_AIR_BINDING_CASE /* all three as the case has them */
} pr_air_binding;

typedef struct pr_air_public {
    pr_air_binding binding;
    const char *text; /* borrowed; NULL: by digest */
    size_t text_size;
    pr_hash air, case_digest; /* by digest */
} pr_air_public;

/* The same bytes for the same case, whoever loaded it. */
void pr_air_public_write(pr_writer *out, const pr_case *c, pr_air_binding binding);
/* PR_ERR_MALFORMED */
PR_MUST_CHECK pr_status pr_air_public_read(pr_air_public *out, const void *data, size_t size, pr_error *err);
#endif
