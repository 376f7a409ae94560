/* The metrics of the consensus against what rank 0 has on record, both of one session. */
#ifndef TEST_VOTES_METRICS_H
#define TEST_VOTES_METRICS_H
#include <stdbool.h>
/* results: path of the results file; beside it are the textfile and the records. False: they differ; told on stderr. */
bool votes_metrics_agree(const char *results);
#endif
