/* Who sees what of device memory within a launch, where a test asks for it (watch). Blocks run in any order, side by
 * side, and a multiprocessor may keep what it has read: so what one thread wrote another one of the launch may only
 * read, or write again, behind a barrier of their block; or in another block, when the writer's block has fenced and
 * then counted in a word by an atomic operation, and the reader's has counted in the same word behind it, and fenced.
 * Atomic operations and fresh reads (ld_fresh) of one word need no order; the same value may be written twice. */
#ifndef PR_EMU_ORDER_H
#define PR_EMU_ORDER_H
#include <map>
#include "cuda/emu/state.h"

namespace emu {

enum class access { read, fresh_read, write, same_write, atomic };

/* A block has counted, by this thread, what its threads had fenced before. */
struct published_block {
    uint32_t block, thread, epoch;
};
struct order {
    bool is_watched = false;
    uint32_t launch = 0, block = 0; /* counted: those that run */
    struct {
        bool has_written; /* since its last fence */
        uint32_t fence_epoch;
    } threads[1024] = {};
    std::map<const void *, std::vector<published_block>> published; /* by the word */
    std::vector<published_block> joined; /* those that the running block has counted behind */
    uint32_t join_epoch = 0;
};
inline order &the_order() {
    static order o;
    return o;
}

inline void begin_ordered_launch() {
    order &o = the_order();
    o.launch++;
    o.block = 0;
    o.published.clear();
}
inline void begin_ordered_block() {
    order &o = the_order();
    o.block++;
    if (!o.is_watched) return;
    for (auto &t : o.threads) t = {false, 0};
    o.joined.clear();
}
inline void note_fence() {
    if (the_order().is_watched) the_order().threads[it().thread] = {false, it().epoch};
}

/* Whether all threads have fenced what they wrote, and, but for the one that counts, have met it at a barrier since. */
inline bool is_fenced(const order &o) {
    for (uint32_t k = 0; k < sizeof o.threads / sizeof *o.threads; k++)
        if (o.threads[k].has_written || (k != it().thread && o.threads[k].fence_epoch >= it().epoch)) return false;
    return true;
}
inline void note_count(const void *place) {
    order &o = the_order();
    std::vector<published_block> &list = o.published[place];
    o.joined = list;
    o.join_epoch = it().epoch;
    if (is_fenced(o)) list.push_back(published_block{o.block, it().thread, it().epoch});
}

/* Whether what a thread of a block did in an epoch certainly comes before what the running thread does now. */
inline bool is_behind(const order &o, uint32_t block, uint32_t thread, uint32_t epoch) {
    if (block == o.block) return thread == it().thread || epoch < it().epoch;
    if (o.threads[it().thread].fence_epoch <= o.join_epoch) return false;
    for (const published_block &p : o.joined)
        if (p.block == block && (epoch < p.epoch || thread == p.thread)) return true;
    return false;
}
inline bool is_behind_reads(const order &o, const watched_word &w) {
    if (w.many_blocks && (o.joined.size() + 1 != o.block || o.threads[it().thread].fence_epoch <= o.join_epoch))
        return false;
    return !w.reader_block || (is_behind(o, w.reader_block, w.reader, w.read_epoch) &&
                               (!w.many_readers || w.reader_block != o.block || w.read_epoch < it().epoch));
}

inline void note_read(watched_word &w, const order &o) {
    w.many_blocks |= w.reader_block && w.reader_block != o.block;
    w.many_readers =
        w.reader_block == o.block && w.read_epoch == it().epoch && (w.many_readers || w.reader != it().thread);
    w.reader_block = o.block, w.reader = it().thread, w.read_epoch = it().epoch;
}

inline void check_word(watched_word &w, access kind, const char *begin, size_t at) {
    const order &o = the_order();
    const bool reads = kind == access::read || kind == access::fresh_read;
    const bool is_strong = kind == access::fresh_read || kind == access::atomic;
    if (w.launch != o.launch) w = watched_word{}, w.launch = o.launch;
    bool good = !w.writer_block || (is_strong && w.is_atomic) || kind == access::same_write ||
                is_behind(o, w.writer_block, w.writer, w.write_epoch);
    if (!reads) good &= is_behind_reads(o, w);
    if (!good)
        report(defect::block_race,
               "block %u, thread %u %s word %zu of memory at %p that another thread of the launch uses, "
               "without a barrier, or a fence and an atomic count, in between",
               o.block - 1, it().thread, reads ? "reads" : "writes", at, (const void *)begin);
    if (kind == access::read) note_read(w, o);
    if (reads) return;
    w.writer_block = o.block, w.writer = it().thread, w.write_epoch = it().epoch, w.is_atomic = kind == access::atomic;
}

inline void check_launch_order(region &r, size_t first, size_t bytes, access kind) {
    order &o = the_order();
    if (r.watched.empty()) r.watched.resize(r.bytes / 4 + 1);
    for (size_t k = first / 4; k < (first + bytes + 3) / 4; k++) check_word(r.watched[k], kind, r.begin, k);
    if (kind == access::write || kind == access::same_write) o.threads[it().thread].has_written = true;
    if (kind == access::atomic) note_count(r.begin + first);
}

} // namespace emu
#endif
