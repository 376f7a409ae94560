/* The metrics of the consensus against the rows of the results file, both of one session. */
#ifndef TEST_VOTES_METRICS_H
#define TEST_VOTES_METRICS_H
#include <stdbool.h>
/* results: path of the results file; the textfile is beside it. False: they differ; told on stderr. */
bool votes_metrics_agree(const char *results);
#endif
