/* Random jobs, dependencies, ranks, nodes and devices. */
#include "property.h"

void make_jobs(model *m) {
    uint32_t n = 1 + below(m, MAX_JOBS);
    m->setup.n_jobs = n;
    m->setup.jobs = m->jobs;
    for (uint32_t j = 0; j < n; j++) {
        pr_schedule_job *job = &m->jobs[j];
        job->expected_ns = S * (1 + below(m, 20));
        job->host_bytes = 1 + below(m, chance(m, 10) ? 200 : 60);
        if (!m->simple && chance(m, 40)) job->device_bytes = 1 + below(m, 60);
        if (job->device_bytes) job->device_host_bytes = 1 + below(m, 20);
        job->priority = (int32_t)below(m, 3) - 1;
        job->retries = below(m, 3);
        job->attempts_before = below(m, 2);
        job->class = below(m, 2);
        if (!m->simple && chance(m, 10)) job->deadline_ns = S * (5 + below(m, 100));
        if (chance(m, 5)) job->past = 1 + below(m, 2);
        job->after = m->after[j];
        for (uint32_t k = 0; j > 0 && k < MAX_AFTER && chance(m, 25); k++) {
            uint32_t first = below(m, j); /* on jobs before it: no cycle */
            m->after[j][job->n_after++] = (pr_schedule_range){first, 1 + below(m, j - first > 5 ? 5 : j - first)};
        }
        m->bytes[j] = job->host_bytes;
        m->last_attempt[j] = job->attempts_before;
        m->job[j] = job->past == PR_SCHEDULE_WAS_DONE ? DONE : job->past == PR_SCHEDULE_HAS_FAILED ? FAILED : OPEN;
    }
}

void make_ranks(model *m) {
    m->setup.n_nodes = 1 + below(m, MAX_NODES);
    m->setup.n_ranks = 1 + below(m, MAX_RANKS);
    m->setup.n_devices = m->setup.n_ranks;
    m->setup.nodes = m->nodes;
    m->setup.ranks = m->ranks;
    m->setup.devices = m->devices;
    for (uint32_t n = 0; n < m->setup.n_nodes; n++) {
        m->nodes[n].host_bytes = 20 + below(m, 100);
        if (chance(m, 50)) m->nodes[n].host_limit_bytes = m->nodes[n].host_bytes + below(m, 100);
    }
    for (uint32_t r = 0; r < m->setup.n_ranks; r++) {
        m->devices[r].bytes = 30 + below(m, 50);
        m->ranks[r] = (pr_schedule_rank){.node = below(m, m->setup.n_nodes),
                                         .device = PR_SCHEDULE_NO_DEVICE,
                                         .proves = r > 0 || m->setup.n_ranks == 1 || chance(m, 50),
                                         .verifies = r == 0 || chance(m, 80),
                                         .one_task = chance(m, 30)};
        if (!m->simple && chance(m, 50)) m->ranks[r].device = chance(m, 80) ? r : 0;
        if (m->setup.n_ranks == 1) m->ranks[r].verifies = true;
    }
}
