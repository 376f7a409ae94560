/* One job of the consensus among four validators of equal stake, one of which lies: rounds, absences, views, crashes.
 * Safety alone: two different proofs of the job are never both approved, and none without the vote of somebody honest.
 * README.md says how to run it and what is left out. Variants that must fail are chosen by -D:
 *   QUORUM_AT_LEAST      2/3 are enough for an approval
 *   ABSENCE_BINDS_NOT    who names an absent validator may approve another proof
 *   LOCK_FORGOTTEN       who approved a proof may approve another one in a later view or attempt
 *   RECORDS_LOST         a crash loses what was signed before it */
#define N 4
#define LIAR 3
#define NOBODY 4
#define EVERYBODY 15
#define BIT(i) (1 << (i))
#define HAS(set, i) (((set) >> (i)) & 1)
#define COUNT(set) (HAS(set, 0) + HAS(set, 1) + HAS(set, 2) + HAS(set, 3))

/* Two proofs. A liar that proves may announce both for one attempt; else the second is of a later attempt. */
byte prover[2], attempt[2];

/* The certificates that this run tries to make, guessed at its beginning: of proof s in view_of[s], with absent[s] left
 * out if anybody, and with the liar removed if cast_out[s]. Of all views only an earlier and a later one matter then, and
 * only what can stand in the two certificates is said: whatever else a node signed would bind it and help nothing. */
byte view_of[2], absent[2];
bool cast_out[2];
byte votes[2]; /* who has approved s in view_of[s] */
byte names[2]; /* who has named absent[s] absent from the round on s in view_of[s] */
byte wanted;   /* who has asked for the later view */

/* Of each node. It survives a crash: each of it is on record before it is sent. */
byte view[N], voted_view[N], voted_attempt[N]; /* voted_attempt 0: it never voted */
byte lock[N];                                  /* s + 1; 0: none */

#define STRICT(part, whole) (3 * (part) > 2 * (whole))
#ifdef QUORUM_AT_LEAST
#define QUORUM(part, whole) (3 * (part) >= 2 * (whole))
#else
#define QUORUM(part, whole) STRICT(part, whole)
#endif

/* ---- certificates ---- */

#define SAID(set) ((set) | BIT(LIAR)) /* the liar has signed everything */
#define ACTIVE(s) (cast_out[s] -> EVERYBODY & ~BIT(LIAR) : EVERYBODY)
#define COMMITTEE(s) (ACTIVE(s) & ~BIT(prover[s]) & (absent[s] == NOBODY -> EVERYBODY : ~BIT(absent[s])))
#define ABSENCE_HOLDS(s)                                                                                               \
    (absent[s] == NOBODY || (3 * 1 < COUNT(ACTIVE(s)) && STRICT(COUNT(SAID(names[s]) & ACTIVE(s)), COUNT(ACTIVE(s)))))
#define APPROVED(s) (ABSENCE_HOLDS(s) && QUORUM(COUNT(SAID(votes[s]) & COMMITTEE(s)), COUNT(COMMITTEE(s))))

inline check() {
    assert(!(APPROVED(0) && APPROVED(1)));
    assert(!APPROVED(0) || (votes[0] & ~BIT(LIAR)));
    assert(!APPROVED(1) || (votes[1] & ~BIT(LIAR)))
}

/* ---- what an honest node does. Messages are never taken back, so whoever is slow, deaf or down does nothing for a
 * while; and any leader may be the liar, so either proof may be proposed to anybody in any view. ---- */

#ifdef LOCK_FORGOTTEN
#define IS_FREE(i, s) true
#else
#define IS_FREE(i, s) (lock[i] == 0 || lock[i] == s + 1)
#endif
#define MAY_VOTE(i, s)                                                                                                 \
    (view[i] == view_of[s] && prover[s] != i && IS_FREE(i, s) &&                                                       \
     (voted_attempt[i] == 0 || view[i] > voted_view[i] || attempt[s] > voted_attempt[i]))
#define MAY_NAME(i, s)                                                                                                 \
    (view[i] == view_of[s] && absent[s] != NOBODY && absent[s] != i && !HAS(names[s], i) && IS_FREE(i, s))

inline vote(i, s) {
    voted_view[i] = view[i];
    voted_attempt[i] = attempt[s];
    lock[i] = s + 1;
    votes[s] = votes[s] | BIT(i);
    check()
}

inline name(i, s) {
    names[s] = names[s] | BIT(i);
#ifndef ABSENCE_BINDS_NOT
    lock[i] = s + 1;
#endif
    check()
}

#define ABOUT(i, s)                                                                                                    \
    ::atomic { MAY_VOTE(i, s) -> vote(i, s) }                                                                          \
    ::atomic { MAY_NAME(i, s) -> name(i, s) }
/* Once there is a certificate of the view, who else has asked is of no matter. */
#define ASKED(set) (STRICT(COUNT(SAID(set)), N) -> EVERYBODY : (set))
#define CHANGE_VIEW(i)                                                                                                 \
    ::atomic { view[i] == 0 && !HAS(wanted, i) -> wanted = ASKED(wanted | BIT(i)) }                                    \
    ::atomic { view[i] == 0 && wanted == EVERYBODY -> view[i] = 1 }
#ifdef RECORDS_LOST
#define CRASH(i) ::atomic { lock[i] > 0 -> voted_attempt[i] = 0; voted_view[i] = 0; lock[i] = 0 }
#else
#define CRASH(i)
#endif
#define NODE(i) ABOUT(i, 0) ABOUT(i, 1) CHANGE_VIEW(i) CRASH(i)

/* ---- all of it ---- */

inline guess(s) {
    select(x : 0 .. 1);
    view_of[s] = x;
    select(x : 0 .. NOBODY);
    absent[s] = x;
    if
    :: absent[s] == NOBODY -> cast_out[s] = true /* and then nobody may be absent: one of three is a third */
    :: absent[s] == prover[s] -> absent[s] = NOBODY /* it is left out anyway */
    :: absent[s] != prover[s]
    fi
}

init {
    byte x;
    atomic {
        attempt[0] = 1;
        attempt[1] = 2;
        if /* the honest are alike, so that one of them goes for all */
        :: prover[0] = 0; prover[1] = 0
        :: prover[0] = 0; prover[1] = 1
        :: prover[0] = 0; prover[1] = LIAR
        :: prover[0] = LIAR; prover[1] = 0
        :: prover[0] = LIAR; prover[1] = LIAR
        :: prover[0] = LIAR; prover[1] = LIAR; attempt[1] = 1
        fi;
        guess(0);
        guess(1);
        x = 0;
        check()
    }
end:
    do
    NODE(0)
    NODE(1)
    NODE(2)
    od
}
