#ifndef PR_BASE_CLOCK_H
#define PR_BASE_CLOCK_H
#include <stddef.h>
#include <stdint.h>
uint64_t pr_clock_monotonic_ns(void);
uint64_t pr_clock_wall_ns(void);    /* since 1970, UTC */
uint64_t pr_clock_process_ns(void); /* processor time of this process, all threads, the kernel's for it too */
/* A moment by both clocks. What ends later is told by the monotonic one: an operator, or NTP, may set the wall clock
 * meanwhile, and nothing ends before it began. */
typedef struct pr_moment {
    uint64_t wall_ns, monotonic_ns;
} pr_moment;
pr_moment pr_clock_moment(void);
uint64_t pr_clock_wall_after(const pr_moment *begin); /* begin's wall clock, and the time since */
/* "2026-11-24T04:36:37.123456789Z"; out has room for 31 bytes. */
void pr_clock_iso8601(char out[32], uint64_t wall_ns);
uint64_t pr_peak_rss_bytes(void); /* VmHWM of this process; 0 when not known */
void pr_peak_rss_reset(void);     /* it counts from now on, where the kernel allows that */
#endif
