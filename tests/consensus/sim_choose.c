/* What a seed decides before a run begins: who there is, with what stake, who lies, who is when away, the weather. */
#include "sim.h"
#include <string.h>

/* Any of a list of shapes, by chance. */
static void choose_stakes(sim *s) {
    uint32_t shape = sim_below(s, 4);
    for (uint32_t i = 0; i < s->n; i++) {
        if (shape < 2) s->stakes[i] = 1;
        if (shape == 2) s->stakes[i] = 1 + sim_below(s, 9);
        if (shape == 3) s->stakes[i] = PR_STAKE_MAX / 16 - sim_below(s, 1000);
    }
}

/* Who is away in a session. At least three are there. */
static void choose_away(sim *s, sim_session *session) {
    uint32_t n_away = 0, share = sim_chance(s, 30) ? 0 : 5 + sim_below(s, 40);
    for (uint32_t i = 0; i < s->n && n_away + 3 < s->n; i++) {
        session->away[i] = sim_chance(s, share);
        n_away += session->away[i];
    }
    session->set = n_away == 0 ? 0 : s->n_sessions;
    for (uint32_t k = 1; k < s->n_sessions; k++)
        if (memcmp(s->sessions[k].away, session->away, sizeof session->away) == 0) session->set = s->sessions[k].set;
}

static void choose_sessions(sim *s) {
    for (s->n_sessions = 1; s->n_sessions < SIM_SESSIONS && sim_chance(s, 30); s->n_sessions++) {
        sim_session *session = &s->sessions[s->n_sessions];
        session->at = s->sessions[s->n_sessions - 1].at + 50 + sim_below(s, 600);
        choose_away(s, session);
        if (session->at + 50 < s->healed_at)
            sim_queue_put(&s->queue, sim_event_new(SIM_SESSION, 0, 0), session->at);
        else
            break;
    }
}

static uint64_t stake_of_present(const sim *s, const sim_session *session, uint64_t *most) {
    uint64_t whole = 0;
    *most = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (session->away[i]) continue;
        whole += s->stakes[i];
        if (s->stakes[i] > *most) *most = s->stakes[i];
    }
    return whole;
}

/* As many liars as may be: in each session, with any honest prover set aside, at most a third of the rest. */
static void choose_liars(sim *s) {
    uint64_t limit = UINT64_MAX, whole = 0, away = 0, faulty = 0, most;
    uint32_t first = sim_below(s, s->n), wanted = sim_chance(s, 80) ? s->n : sim_below(s, 2);
    for (uint32_t k = 0; k < s->n_sessions; k++) {
        uint64_t there = stake_of_present(s, &s->sessions[k], &most);
        if (k == 0) whole = there;
        if (there - most < limit) limit = there - most;
    }
    for (uint32_t k = 0; k < s->n && s->n_faulty < wanted; k++) {
        uint32_t i = (first + k) % s->n;
        if (3 * (faulty + s->stakes[i]) > limit) continue;
        faulty += s->stakes[i];
        s->nodes[i].faulty = true;
        s->n_faulty++;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        bool ever = false;
        for (uint32_t k = 0; k < s->n_sessions; k++) ever |= s->sessions[k].away[i];
        away += ever ? s->stakes[i] : 0;
    }
    s->limited =
        s->terms.committee_size + 1 < s->n || (unsigned __int128)3 * faulty + 2 * (unsigned __int128)away > whole;
}

static void choose_weather(sim *s) {
    bool calm = sim_chance(s, 20);
    s->weather = (sim_weather){.loss = calm ? 0 : sim_below(s, 40),
                               .doubling = calm ? 0 : sim_below(s, 30),
                               .delay_ms = 1 + sim_below(s, calm ? 10 : 60),
                               .write_ms = 1 + sim_below(s, 20),
                               .verify_ms = 1 + sim_below(s, 40),
                               .unable = sim_chance(s, 50) ? 0 : sim_below(s, 60),
                               .crash_ms = calm || sim_chance(s, 30) ? 0 : 100 + sim_below(s, 1500),
                               .silence = sim_chance(s, 30) ? 100 : sim_below(s, 100),
                               .lie_ms = 5 + sim_below(s, 60),
                               .second_proofs = sim_chance(s, 15),
                               .stalling = sim_chance(s, 10)};
    s->weather.halving = s->weather.stalling && sim_chance(s, 50);
    s->weather.climbing = !s->weather.stalling && sim_chance(s, 5);
    s->healed_at = 200 + sim_below(s, 1500);
    s->end = s->healed_at + 20000;
}

void sim_choose(sim *s) {
    static const uint32_t sizes[8] = {4, 4, 4, 4, 4, 7, 7, 10};
    s->n = sizes[sim_below(s, 8)];
    s->n_jobs = 1 + sim_below(s, s->n == 4 ? SIM_JOBS : 2);
    s->max_open = sim_chance(s, 50) ? s->n_jobs : 1 + sim_below(s, s->n_jobs);
    choose_stakes(s);
    choose_weather(s);
    choose_sessions(s);
    s->terms = (pr_consensus_terms){pr_blake2s_hash("run", 3), pr_blake2s_hash(&s->seed, sizeof s->seed), 16};
    if (sim_chance(s, 25)) s->terms.committee_size = 1 + sim_below(s, s->n - 1);
    choose_liars(s);
}
