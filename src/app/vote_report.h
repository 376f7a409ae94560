/* What the check of votes has found, in words. */
#ifndef PR_APP_VOTE_REPORT_H
#define PR_APP_VOTE_REPORT_H
#include "app/vote_check.h"

/* Prints it; 0 all good, 1 not. names_voters: a line for each validator, and 1 also for one that has signed wrongly and
 * was not removed. */
int pr_vote_report(const pr_vote_check *c, bool names_voters);
#endif
