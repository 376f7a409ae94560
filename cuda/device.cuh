/* A device of the backend: an allocation that holds the arena and working memory, and one of twiddles; a stream; a ring
 * of pinned memory through which tables go to kernels, and a buffer through which results come back. */
#ifndef PR_CUDA_DEVICE_CUH
#define PR_CUDA_DEVICE_CUH
#include "cuda/common.cuh"
#include "cuda/domain.cuh"
#include "cuda/queue.cuh"

namespace PR_GPU {

/* Memory that the host writes, or reads, and the same place on the device. */
struct mirror {
    char *host, *device;
    char *known; /* of tables: what the device has there, or will have by what is queued */
    size_t bytes, used;
};

/* Rows of a far column in the window (window.cuh). */
struct window_piece {
    size_t column, first;
    pr_col place;
};

/* A proof of work that the device began by itself (grind.cu). */
struct grinding {
    bool is_running;
    uint32_t bits;
    pr_hash prefix;
    const uint64_t *found; /* on the host, once the stream has come so far */
};

struct device {
    struct queue stream;
    uint32_t *memory;                /* the allocation: the arena's near part, the window, working memory */
    size_t near_words, window_words; /* without far columns, all of the arena and none */
    uint32_t *far;                   /* on the host, pinned */
    size_t far_words;
    window_piece *pieces; /* [max_pieces] */
    size_t max_pieces;
    uint32_t max_log_rows;
    uint32_t *twiddle_memory;
    twiddle_tables twiddles;
    uint32_t *scratch; /* working memory of one operation: scan_words(), spill_words() */
    size_t scratch_words;
    mirror tables, results;
    mirror fri;          /* the channel and what it leaves behind (fri.cu) */
    cudaEvent_t fri_end; /* the host may read it; a proof of work goes on */
    mirror drawn;        /* challenges that it drew (draw.cu) */
    size_t n_powers, n_sample_groups;
    struct grinding grinding;
    unsigned resident_blocks; /* of grinding, that it runs at a time */
    char *staging;            /* pinned, of map_write; grows and stays */
    size_t staging_bytes;
    cudaEvent_t *marks; /* [n_marks] */
    size_t n_marks;
    uint64_t moved_bytes;      /* meter.cuh */
    uint64_t flip_in, lose_in; /* operations until a bit is flipped, the device lost (debug.cuh); 0: never */
};

#if defined(PR_CUDA_EMULATED) && !defined(PR_CUDA_DEVICE_TILES)
/* Smaller, so that small proofs take every path, and that their memory is not tables before all. */
constexpr size_t least_table_bytes = 32 << 10, result_bytes = 16 << 10;
#else
constexpr size_t least_table_bytes = 1 << 20, result_bytes = 1 << 20;
#endif

/* What a launch reads and writes, 32-bit words, for pr_meter. */
inline void count_moved(device *dev, size_t n_words) { dev->moved_bytes += sizeof(uint32_t) * n_words; }

inline device *of(pr_device *dev) { return reinterpret_cast<device *>(dev); }
/* What kernels find columns in: the window too. */
inline words arena(const device *dev) { return view_of(dev->memory, dev->near_words + dev->window_words); }
inline words column(const device *dev, pr_col col) {
    return view_of(dev->memory + col.offset, (size_t)1 << col.log_rows);
}
PR_DEVICE words column(const words &arena, const pr_col &col) {
    return sub(arena, col.offset, (size_t)1 << col.log_rows);
}
inline size_t bytes_of(pr_col col) { return sizeof(uint32_t) << col.log_rows; }
/* Views of columns in the host's memory lie one behind another, each at a multiple of 64 bytes: what they take in all,
 * and where they begin. */
size_t views_bytes(const pr_col *cols, size_t n);
void place_views(pr_m31 **host, char *at, const pr_col *cols, size_t n);
struct secure_column {
    words c[4];
};
inline secure_column secure(const device *dev, const pr_col cols[4]) {
    return secure_column{{column(dev, cols[0]), column(dev, cols[1]), column(dev, cols[2]), column(dev, cols[3])}};
}
PR_DEVICE pr_qm31 ld_secure(const secure_column &s, size_t i) {
    return pr_qm31{{ld(s.c[0], i), ld(s.c[1], i), ld(s.c[2], i), ld(s.c[3], i)}};
}
PR_DEVICE void st_secure(const secure_column &s, size_t i, const pr_qm31 &v) {
#pragma unroll
    for (int k = 0; k < 4; k++) st(s.c[k], i, v.c[k]);
}

/* The error of a call of the runtime, with what was tried. */
pr_status check(cudaError_t error, const char *what, pr_error *err);
#define PR_CUDA_TRY(call, what) PR_TRY(check(call, what, err))

pr_status create_mirror(mirror *m, size_t bytes, pr_error *err);
/* The device's side is zeros. */
pr_status create_tables(device *dev, mirror *m, size_t bytes, pr_error *err);
void clear_mirror(mirror *m);

/* Bytes that n entries of a table take. */
template <class T> size_t table_size(size_t n) { return (n * sizeof(T) + 15) / 16 * 16; }

/* Tables of one operation: say how large they are together, put them all, send them, launch. In every proof they have
 * the same places, and what is there already is not sent again.
 *   table_writer w(dev);
 *   PR_TRY(w.begin(table_size<pr_col>(n), err));
 *   span<const pr_col> cols = w.put(list, n);
 *   PR_TRY(w.send(err)); */
class table_writer {
    device *dev_;
    size_t first_ = 0, end_ = 0;

  public:
    explicit table_writer(device *dev) : dev_(dev) {}
    pr_status begin(size_t bytes, pr_error *err);
    /* Room for n entries, which the caller writes to *host before they are sent. */
    template <class T> span<const T> take(T **host, size_t n) {
        mirror *t = &dev_->tables;
        *host = (T *)(void *)(t->host + t->used);
        const T *place = (const T *)(const void *)(t->device + t->used);
        t->used += table_size<T>(n);
        PR_ASSERT(t->used <= end_);
        return view_of(place, n);
    }
    template <class T> span<const T> put(const T *list, size_t n) {
        T *host;
        const span<const T> table = take(&host, n);
        if (n) std::memcpy(static_cast<void *>(host), list, n * sizeof(T));
        return table;
    }
    /* Of the n entries that were taken last, these are used. */
    template <class T> void keep(size_t n, size_t n_used) {
        dev_->tables.used -= table_size<T>(n) - table_size<T>(n_used);
    }
    pr_status send(pr_error *err);
};

/* Where a kernel leaves n words for the host, at most result_bytes; read them with fetch_results. */
inline words result_words(const device *dev, size_t n) {
    PR_ASSERT(n * 4 <= result_bytes);
    return view_of((uint32_t *)(void *)dev->results.device, n);
}
inline span<uint64_t> result_sums(const device *dev, size_t n) {
    PR_ASSERT(n * 8 <= result_bytes);
    return view_of((uint64_t *)(void *)dev->results.device, n);
}
/* Copies columns from pinned memory: those that stand at equal distances, on both sides, by one call. */
pr_status send_columns(device *dev, const pr_col *cols, pr_m31 *const *host, size_t n, pr_error *err);
/* Waits for the stream; so many bytes of the results are at dev->results.host then. */
pr_status fetch_results(device *dev, size_t bytes, pr_error *err);

/* Results of several kernels, fetched together: a place for each, until there is no more room; all are where they
 * should be after fetch. */
class result_list {
    device *dev_;
    size_t used_ = 0, n_ = 0;
    struct {
        void *out;
        size_t first, bytes;
    } items_[80]; /* what a proof opens of trees and layers of FRI, twice */

  public:
    explicit result_list(device *dev) : dev_(dev) {}
    /* first: the word of all() that the place begins at. */
    pr_status take(uint32_t *first, void *out, size_t n_words, pr_error *err);
    /* Makes room for so many, of so many words in all, fetching what is there if need be; false: there is not as much.
     */
    pr_status reserve(bool *has_room, size_t n, size_t n_words, pr_error *err);
    words all() const { return view_of((uint32_t *)(void *)dev_->results.device, result_bytes / sizeof(uint32_t)); }
    pr_status fetch(pr_error *err);
};

} // namespace PR_GPU
#endif
