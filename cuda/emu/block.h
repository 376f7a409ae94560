/* One block of threads, run to its end: barriers, shuffles and votes are real rendezvous, so a thread that does not
 * come is found. Threads run in one order before a barrier and in the other after it, for a kernel must not care. */
#ifndef PR_EMU_BLOCK_H
#define PR_EMU_BLOCK_H
#include <functional>
#include "cuda/emu/fiber.h"
#include "cuda/emu/span.h"

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace emu {

constexpr unsigned warp_size = 32, max_threads = 1024;
/* Of the GPUs that the backend is compiled for, 8.9 has the least shared memory for a block: so much in all, if the
 * function was allowed it (cudaFuncSetAttribute). */
constexpr size_t max_shared_bytes = 99 << 10, max_static_bytes = 48 << 10;

enum class wait { ready, barrier, warp, done };

struct thread {
    context where;
    char *stack = nullptr;
    wait what = wait::ready;
    uint32_t mask = 0;    /* of the warp's rendezvous */
    uint64_t deposit = 0; /* what others shall see there */
};

struct shared_piece {
    const void *site;
    size_t first, bytes;
};

class block {
    std::vector<thread> threads_{max_threads};
    std::vector<uint64_t> seen_ = std::vector<uint64_t>(max_threads); /* deposits of a rendezvous that took place */
    stack_pool stacks_;
    context scheduler_;
    thread *current_ = nullptr;
    unsigned n_ = 0, n_done_ = 0;
    const std::function<void()> *body_ = nullptr;
    bool stopped_ = false;
    std::vector<char> shared_bytes_ = std::vector<char>(max_shared_bytes + 16);
    region shared_;
    std::vector<shared_piece> pieces_;
    size_t shared_used_ = 0, dynamic_bytes_ = 0;

    static block &self() {
        static block b;
        return b;
    }
    friend block &the_block();

    PR_EMU_UNWATCHED static void entry() {
        block &b = self();
        (*b.body_)();
        b.current_->what = wait::done;
        switch_to(b.current_->where, b.scheduler_);
    }

    void resume(unsigned i) {
        thread &t = threads_[i];
        if (!t.stack) {
            t.stack = stacks_.take();
            prepare(t.where, t.stack, entry);
        }
        current_ = &t;
        threadIdx = dim3(i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y));
        it().thread = i;
        it().is_running = true;
        switch_to(scheduler_, t.where);
        it().is_running = false;
        if (t.what == wait::done || stopped_) {
            n_done_++;
            stacks_.give(t.stack);
            t.stack = nullptr;
        }
    }

    /* Whether a warp's lanes that wait for this one are all there; if so they go on. */
    bool meet(unsigned i) {
        const uint32_t mask = threads_[i].mask;
        const unsigned first = i / warp_size * warp_size;
        for (unsigned lane = 0; lane < warp_size; lane++) {
            if (!(mask >> lane & 1)) continue;
            if (first + lane >= n_) return false;
            const thread &t = threads_[first + lane];
            if (t.what != wait::warp || t.mask != mask) return false;
        }
        for (unsigned lane = 0; lane < warp_size; lane++)
            if (mask >> lane & 1) {
                threads_[first + lane].what = wait::ready;
                seen_[first + lane] = threads_[first + lane].deposit;
            }
        return true;
    }

    bool run_ready(bool backwards) {
        bool any = false;
        for (unsigned k = 0; k < n_ && !stopped_; k++) {
            const unsigned i = backwards ? n_ - 1 - k : k;
            if (threads_[i].what == wait::ready) resume(i), any = true;
        }
        return any;
    }

    bool release() {
        bool any = false;
        unsigned at_barrier = 0;
        for (unsigned i = 0; i < n_; i++) {
            if (threads_[i].what == wait::warp) any |= meet(i);
            at_barrier += threads_[i].what == wait::barrier;
        }
        if (at_barrier == n_) {
            for (unsigned i = 0; i < n_; i++) threads_[i].what = wait::ready;
            it().epoch++;
            return true;
        }
        return any;
    }

    static void stop() {
        block &b = self();
        b.stopped_ = true;
        switch_to(b.current_->where, b.scheduler_); /* for good */
    }

    void leave(wait what) {
        current_->what = what;
        thread *t = current_;
        switch_to(t->where, scheduler_);
    }

    void begin() {
        n_ = blockDim.x * blockDim.y * blockDim.z;
        n_done_ = 0;
        stopped_ = false;
        pieces_.clear();
        shared_used_ = 0;
        it().epoch++;
        begin_ordered_block();
        for (unsigned i = 0; i < n_; i++) threads_[i].what = wait::ready;
    }

    void abandon() {
        for (unsigned i = 0; i < n_; i++)
            if (threads_[i].stack) stacks_.give(threads_[i].stack), threads_[i].stack = nullptr;
    }

  public:
    void run(const std::function<void()> &body, size_t dynamic_bytes) {
        body_ = &body;
        dynamic_bytes_ = dynamic_bytes;
        it().stop = stop;
        begin();
        for (unsigned round = blockIdx.x; !stopped_ && n_done_ < n_; round++) {
            if (run_ready(round & 1) || release()) continue;
            report(defect::divergence, "block %u: %u of %u threads have ended, the others wait for each other",
                   blockIdx.x, n_done_, n_);
            break;
        }
        abandon();
    }

    void barrier() { leave(wait::barrier); }

    /* Every lane of the mask gives a value and gets at all of them: result[lane], lanes of this warp. */
    const uint64_t *rendezvous(uint32_t mask, uint64_t value) {
        const unsigned i = it().thread, lane = i % warp_size;
        if (!(mask >> lane & 1)) report(defect::divergence, "thread %u is not in its own mask %08x", i, mask);
        current_->mask = mask;
        current_->deposit = value;
        leave(wait::warp);
        return &seen_[i / warp_size * warp_size];
    }

    /* A piece of the block's shared memory, the same for every thread that comes by this place of the source. */
    template <class T> span<T> shared(const void *site, size_t n, bool is_dynamic = false) {
        for (const shared_piece &p : pieces_)
            if (p.site == site) return span<T>{(T *)(shared_.begin + p.first), n, &shared_};
        const size_t first = (shared_used_ + 15) / 16 * 16, bytes = n * sizeof(T);
        const size_t n_static = first + bytes - (is_dynamic ? bytes : 0);
        if (n_static > max_static_bytes || n_static + dynamic_bytes_ > max_shared_bytes)
            report(defect::bad_launch, "%zu bytes of shared memory and %zu dynamic ones; a block has %zu, %zu in all",
                   n_static, dynamic_bytes_, max_static_bytes, max_shared_bytes);
        if (!shared_.begin) {
            shared_.begin = (char *)(((uintptr_t)shared_bytes_.data() + 15) / 16 * 16);
            shared_.bytes = max_shared_bytes;
            shared_.live = shared_.is_shared = true;
            shared_.words.resize(max_shared_bytes / 4);
        }
        std::memset(shared_.begin + first, poison, bytes);
        pieces_.push_back(shared_piece{site, first, bytes});
        shared_used_ = first + bytes;
        return span<T>{(T *)(shared_.begin + first), n, &shared_};
    }

    /* The piece whose size the launch says. */
    template <class T> span<T> shared_dynamic(const void *site, size_t n) {
        if (n * sizeof(T) > dynamic_bytes_)
            report(defect::out_of_bounds, "%zu bytes of dynamic shared memory; the launch gave %zu", n * sizeof(T),
                   dynamic_bytes_);
        return shared<T>(site, n, true);
    }
};

inline block &the_block() { return block::self(); }

} // namespace emu

/* ---- what kernels call ---- */

inline void __syncthreads() { emu::the_block().barrier(); }
inline void __threadfence() { emu::note_fence(); }
template <class T> inline T emu_lane_value(uint32_t mask, T value, unsigned lane) {
    static_assert(sizeof(T) <= 8, "lanes exchange up to 8 bytes");
    uint64_t word = 0;
    std::memcpy(&word, &value, sizeof value);
    const uint64_t *all = emu::the_block().rendezvous(mask, word);
    if (!(mask >> lane & 1)) return value; /* undefined on a device */
    std::memcpy(&value, &all[lane], sizeof value);
    return value;
}
inline unsigned emu_lane() { return emu::it().thread % emu::warp_size; }
template <class T> inline T __shfl_sync(unsigned mask, T value, int lane) {
    return emu_lane_value(mask, value, (unsigned)lane % emu::warp_size);
}
template <class T> inline T __shfl_xor_sync(unsigned mask, T value, int bits) {
    return emu_lane_value(mask, value, emu_lane() ^ (unsigned)bits);
}
template <class T> inline T __shfl_up_sync(unsigned mask, T value, unsigned by) {
    return emu_lane_value(mask, value, emu_lane() < by ? emu_lane() : emu_lane() - by);
}
template <class T> inline T __shfl_down_sync(unsigned mask, T value, unsigned by) {
    return emu_lane_value(mask, value, emu_lane() + by >= emu::warp_size ? emu_lane() : emu_lane() + by);
}
inline unsigned __ballot_sync(unsigned mask, bool is_set) {
    const uint64_t *all = emu::the_block().rendezvous(mask, is_set);
    unsigned bits = 0;
    for (unsigned lane = 0; lane < emu::warp_size; lane++)
        if (mask >> lane & 1) bits |= (unsigned)(all[lane] != 0) << lane;
    return bits;
}
inline bool __any_sync(unsigned mask, bool is_set) { return __ballot_sync(mask, is_set) != 0; }
inline bool __all_sync(unsigned mask, bool is_set) { return __ballot_sync(mask, is_set) == mask; }
#endif
