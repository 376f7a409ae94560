/* Memory left, read from trees of files that look like /proc and /sys. */
#include "placement/internal.h"
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char root[64];

static int make_root(void **state) {
    (void)state;
    snprintf(root, sizeof root, "placement-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *s, int type, struct FTW *where) {
    (void)s, (void)type, (void)where;
    return remove(path);
}

static int remove_root(void **state) {
    (void)state;
    return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *text) {
    char full[512];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        mkdir(full, 0755);
        *p = '/';
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void expect(uint64_t bytes, bool limited) {
    bool got;
    assert_int_equal(pr_memory_available(root, &got), bytes);
    assert_int_equal(got, limited);
}

static const char meminfo[] = "MemTotal:       16000000 kB\nMemFree:         100 kB\nMemAvailable:    1000000 kB\n";

static void nothing_known(void **state) {
    (void)state;
    expect(0, false);
}

static void machine_alone(void **state) {
    (void)state;
    put("/proc/meminfo", meminfo);
    put("/proc/self/cgroup", "0::/user.slice\n");
    put("/sys/fs/cgroup/user.slice/memory.max", "max\n");
    put("/sys/fs/cgroup/user.slice/memory.current", "12345\n");
    expect((uint64_t)1000000 << 10, false);
}

/* The tightest of a group and those above it; file pages nobody uses count as free. */
static void version_2(void **state) {
    (void)state;
    put("/proc/meminfo", meminfo);
    put("/proc/self/cgroup", "0::/slurm/job_7/step_0\n");
    put("/sys/fs/cgroup/slurm/job_7/step_0/memory.max", "800000000\n");
    put("/sys/fs/cgroup/slurm/job_7/step_0/memory.current", "100\n");
    put("/sys/fs/cgroup/slurm/job_7/memory.max", "600000000\n");
    put("/sys/fs/cgroup/slurm/job_7/memory.current", "200000000\n");
    put("/sys/fs/cgroup/slurm/job_7/memory.stat", "anon 1\ninactive_file 50000000\nactive_file 7\n");
    put("/sys/fs/cgroup/slurm/memory.max", "max\n");
    expect(600000000 - 200000000 + 50000000, true);
}

static void version_2_seen_from_inside(void **state) {
    (void)state;
    put("/proc/meminfo", meminfo);
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/memory.max", "500000000\n");
    put("/sys/fs/cgroup/memory.current", "600000000\n"); /* over its limit: next to nothing, but known */
    expect(1, true);
}

static void version_1(void **state) {
    (void)state;
    put("/proc/meminfo", meminfo);
    put("/proc/self/cgroup", "12:cpu,cpuacct:/a\n9:memory:/slurm/uid_0/job_1\n1:name=systemd:/b\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/memory/slurm/uid_0/job_1/memory.limit_in_bytes", "300000000\n");
    put("/sys/fs/cgroup/memory/slurm/uid_0/job_1/memory.usage_in_bytes", "100000000\n");
    put("/sys/fs/cgroup/memory/slurm/uid_0/job_1/memory.stat", "inactive_file 9\ntotal_inactive_file 1000\n");
    expect(300000000 - 100000000 + 1000, true);
}

/* Docker without a cgroup namespace: the named group is not under the mount, its limits stand at the top. */
static void version_1_container(void **state) {
    (void)state;
    put("/proc/meminfo", meminfo);
    put("/proc/self/cgroup", "9:memory:/docker/0123\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "400000000\n");
    put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "0\n");
    expect(400000000, true);
}

static void limit_above_the_machine(void **state) {
    (void)state;
    put("/proc/meminfo", meminfo);
    put("/proc/self/cgroup", "0::/x\n");
    put("/sys/fs/cgroup/x/memory.max", "900000000000\n");
    expect((uint64_t)1000000 << 10, false);
}

#define IN_ROOT(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_ROOT(nothing_known),
        IN_ROOT(machine_alone),
        IN_ROOT(version_2),
        IN_ROOT(version_1),
        IN_ROOT(version_1_container),
        IN_ROOT(version_2_seen_from_inside),
        IN_ROOT(limit_above_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
