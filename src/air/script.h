/* The rules of air-format.md on transcripts that an AIR brings along. The default script keeps them all. */
#ifndef PR_AIR_SCRIPT_H
#define PR_AIR_SCRIPT_H
#include "air/statement.h"

/* PR_ERR_REFUSED naming the step unless: config and every commitment occur exactly once and in order; relations are
 * drawn after the trace and before the interaction commitment, claimed sums mixed between the draw and that commitment;
 * at most one grind, of at most 32 bits; words in number and range as their step wants. */
PR_MUST_CHECK pr_status pr_script_check(const pr_statement *st, pr_error *err);

/* true when the grind stands between the trace commitment and the draw of relations: only there it adds to the cost of
 * attacking lookups. */
bool pr_script_grind_protects_lookups(const pr_statement *st);
#endif
