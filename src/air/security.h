/* How hard it is to have a false statement accepted, term by term. Formulas and sources: docs/security.md. */
#ifndef PR_AIR_SECURITY_H
#define PR_AIR_SECURITY_H
#include "air/statement.h"
#include "base/bytes.h"

#define PR_SECURITY_MIN_BITS 96.0

typedef enum pr_security_kind {
    PR_SECURITY_CONJECTURED, /* rests on a conjecture */
    PR_SECURITY_PROVEN,      /* a theorem, unique decoding */
    PR_SECURITY_FIELD,       /* a polynomial identity over the field of p^4 elements: holds in any regime */
    PR_SECURITY_LIST         /* a theorem, list decoding */
} pr_security_kind;

typedef struct pr_security_term {
    const char *name;    /* "constraint batching" */
    const char *formula; /* in the words of docs/security.md */
    pr_security_kind kind;
    bool applies; /* false: the statement has no such step (lookups without relations) */
    double bits;
} pr_security_term;

typedef enum pr_security_term_index {
    PR_TERM_QUERIES_CONJECTURED,
    PR_TERM_QUERIES_UNIQUE,
    PR_TERM_COMMIT_UNIQUE,
    PR_TERM_CONSTRAINT_BATCHING,
    PR_TERM_OUT_OF_DOMAIN,
    PR_TERM_LOOKUPS,
    PR_TERM_QUOTIENT_BATCHING,
    PR_TERM_LIST_DECODING,
    PR_TERM_COUNT
} pr_security_term_index;

/* All terms of a finished layout. */
void pr_security_terms(pr_security_term out[PR_TERM_COUNT], const pr_layout *layout);
/* The lookup term of an AIR alone: no public terms, nothing ground. */
double pr_security_lookup_bits(const pr_air *air);
/* The figures in short; pr_layout_init stores them in the layout. */
pr_security pr_security_of(const pr_layout *layout);
/* A few lines for people: the reported figure, each term with its formula, and "insecure parameters" where it applies.
 */
void pr_security_write(pr_writer *out, const pr_layout *layout);
#endif
