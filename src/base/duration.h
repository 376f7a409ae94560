/* Durations and points in time as people write them: "90s", "10min", "1h30min", "2026-11-25T22:00:00Z". */
#ifndef PR_BASE_DURATION_H
#define PR_BASE_DURATION_H
#include <stdbool.h>
#include <stdint.h>

#define PR_DURATION_MAX_NS (3660ull * 86400u * 1000000000u) /* ten years */

/* For messages: what pr_duration_parse takes. */
#define PR_DURATION_ALLOWED "a duration such as 90s, 10min, 2h or 1h30min (units ms, s, min, h, d)"

/* Whole numbers, each with its unit, largest unit first. False: anything else, nothing at all, or beyond ten years. */
bool pr_duration_parse(uint64_t *ns, const char *text);
/* ISO 8601 with its zone: YYYY-MM-DDThh:mm[:ss](Z|+hh:mm|-hh:mm), from 1970 to 2200. wall_ns: since 1970, UTC. */
bool pr_time_parse_iso8601(uint64_t *wall_ns, const char *text);
/* "1h 02min", "10min 05s", "3.2s", "15ms": for people, not to be parsed. */
void pr_duration_format(char out[32], uint64_t ns);
#endif
