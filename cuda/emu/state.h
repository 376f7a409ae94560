/* What the emulation knows of its one device: errors, regions of memory, counters, and who may touch what.
 *
 * An error is sticky, as on a real device: the first defect that is found is kept with its text, the launch it was
 * found in stops, and every later call fails until emu_reset. Thread rule: any thread may call the runtime, each with
 * streams of its own; one lock holds them apart, also while kernels run. What a thread has selected, captures or has
 * waited for is its own. */
#ifndef PR_EMU_STATE_H
#define PR_EMU_STATE_H
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

namespace emu {

enum class defect {
    none,
    out_of_bounds, /* an index outside of its span, or a span outside of its region */
    dead_memory,   /* a region that was freed, or memory that is no device's */
    misaligned,    /* a vector access that does not lie on its size */
    divergence,    /* a barrier, shuffle or vote that not all threads reach */
    shared_race,   /* two threads, one word of shared memory, no barrier between them */
    block_race,    /* two threads of a launch, one word of device memory, no order between them (order.h) */
    queue_race,    /* two streams, one place, no event between them */
    bad_launch,    /* a shape that no device takes */
    misuse,        /* of the runtime's functions */
    injected       /* asked for by a test */
};

/* Held by whoever touches what follows, kernels too; a thread that holds it may take it again. */
class guard {
    static std::mutex &mutex() {
        static std::mutex m;
        return m;
    }
    static unsigned &depth() {
        static thread_local unsigned n = 0;
        return n;
    }

  public:
    guard() {
        if (depth()++ == 0) mutex().lock();
    }
    ~guard() {
        if (--depth() == 0) mutex().unlock();
    }
    guard(const guard &) = delete;
    guard &operator=(const guard &) = delete;
};

constexpr uint8_t poison = 0xd5; /* bytes of fresh and freed memory; as a word above p */
constexpr unsigned max_streams = 8, granule_bytes = 64;

struct clocks {
    uint32_t seen[max_streams] = {}; /* of each stream: the last operation that certainly came before */
};

/* Who touched a granule last. */
struct granule {
    uint32_t write_stream = 0, write_at = 0, read_at[max_streams] = {};
};

struct shared_word { /* the thread that wrote and one that read it since barrier number epoch - 1 */
    uint32_t write_epoch = 0, writer = 0, read_epoch = 0, reader = 0;
    bool many_readers = false;
};

struct watched_word { /* of device memory: who used it in a launch. Blocks are counted from 1; 0: nobody */
    uint32_t launch = 0, writer_block = 0, writer = 0, write_epoch = 0, reader_block = 0, reader = 0, read_epoch = 0;
    bool is_atomic = false, many_readers = false, many_blocks = false;
};

struct region {
    char *begin = nullptr;
    size_t bytes = 0, mapped_bytes = 0;
    bool live = false, is_shared = false;
    bool is_table = false;             /* small, read by many threads: a device would have it in a cache */
    std::vector<granule> granules;     /* once there are two streams */
    std::vector<shared_word> words;    /* of shared memory */
    std::vector<watched_word> watched; /* once somebody asked for it */
};

struct counters {
    uint64_t launches, graph_launches, read_bytes, written_bytes,
        table_bytes; /* of kernels, to and from device memory, each access counted */
    uint64_t copied_to_device_bytes, copied_to_host_bytes, synchronizations;
};

struct state {
    defect found = defect::none;
    char text[256] = "";
    std::vector<std::unique_ptr<region>> regions, pinned;
    counters count = {};
    bool is_running = false;  /* a kernel: a defect stops its thread */
    void (*stop)() = nullptr; /* never returns */
    unsigned n_streams = 0;   /* there are now */
    unsigned stream = 0;      /* of the operation that runs */
    uint32_t at = 0;          /* its number there */
    const clocks *before = nullptr;
    uint32_t epoch = 1, thread = 0; /* of the block that runs: barriers so far + 1, the thread's number */
    /* Faults that tests ask for: 0 is never, 1 the next one. */
    uint64_t fail_allocation = 0, fail_launch = 0;
    size_t limit_bytes = SIZE_MAX, used_bytes = 0, peak_bytes = 0;
    size_t pinned_bytes = 0, peak_pinned_bytes = 0;
};
inline state &it() {
    static state s;
    return s;
}

/* Whether the calling thread captures a stream's work into a graph (graph.h). */
inline bool &is_capturing() {
    static thread_local bool is = false;
    return is;
}

/* Keeps the first defect; inside a kernel it does not return. */
[[gnu::format(printf, 2, 3), gnu::cold, gnu::noinline]] inline void report(defect kind, const char *format, ...) {
    state &s = it();
    bool stops = false;
    {
        const guard hold;
        if (s.found == defect::none) {
            va_list args;
            va_start(args, format);
            std::vsnprintf(s.text, sizeof s.text, format, args);
            va_end(args);
            s.found = kind;
        }
        stops = s.is_running; /* here: no other thread holds the lock */
    }
    if (stops) s.stop(); /* which holds nothing of its own */
}

inline region &nowhere() {
    static region r;
    return r;
}

inline region *region_of(const std::vector<std::unique_ptr<region>> &list, const void *p) {
    for (const auto &r : list)
        if ((const char *)p >= r->begin && (const char *)p < r->begin + r->bytes) return r.get();
    return nullptr;
}

/* The running operation reads or writes a range: ordered behind whatever other streams did there? */
inline void check_order(region &r, size_t first, size_t bytes, bool writes) {
    state &s = it();
    if (s.n_streams < 2) return;
    if (r.granules.empty()) r.granules.resize(r.bytes / granule_bytes + 1);
    for (size_t g = first / granule_bytes; g <= (first + bytes - 1) / granule_bytes; g++) {
        granule &x = r.granules[g];
        bool late = x.write_at && x.write_stream != s.stream && x.write_at > s.before->seen[x.write_stream];
        for (unsigned k = 0; writes && k < max_streams; k++) late |= k != s.stream && x.read_at[k] > s.before->seen[k];
        if (late)
            report(defect::queue_race,
                   "stream %u %s byte %zu of a region that another stream used without an event "
                   "in between",
                   s.stream, writes ? "writes" : "reads", g * granule_bytes);
        if (writes) {
            x = granule{s.stream, s.at, {}};
        } else {
            x.read_at[s.stream] = s.at;
        }
    }
}

/* Word of shared memory, read or written by the running thread. */
inline void check_shared(region &r, size_t word, bool writes) {
    state &s = it();
    shared_word &w = r.words[word];
    bool bad = w.write_epoch == s.epoch && w.writer != s.thread;
    if (writes) {
        bad |= w.read_epoch == s.epoch && (w.many_readers || w.reader != s.thread);
        w.write_epoch = s.epoch, w.writer = s.thread;
    } else if (w.read_epoch != s.epoch) {
        w.read_epoch = s.epoch, w.reader = s.thread, w.many_readers = false;
    } else if (w.reader != s.thread) {
        w.many_readers = true;
    }
    if (bad)
        report(defect::shared_race, "thread %u %s word %zu of shared memory that another thread uses before a barrier",
               s.thread, writes ? "writes" : "reads", word);
}

} // namespace emu
#endif
