/* Checked access to memory of the device: what kernels use for pointers. A span is a place in a region and a length;
 * every access is held against both. Global memory is counted and, with several streams, ordered; shared memory is
 * watched for races. */
#ifndef PR_EMU_SPAN_H
#define PR_EMU_SPAN_H
#include <type_traits>
#include "cuda/emu/order.h"

namespace emu {

template <class T> struct span {
    T *p;
    size_t n;
    region *home;
};

template <class T> span<T> span_of(T *p, size_t n) {
    const guard hold;
    region *r = region_of(it().regions, (const void *)p);
    return span<T>{p, n, r ? r : &nowhere()};
}

template <class T> span<T> sub(span<T> s, size_t first, size_t n) {
    if (first + n > s.n) report(defect::out_of_bounds, "elements %zu .. %zu of %zu", first, first + n, s.n);
    return span<T>{s.p + first, n, s.home};
}

template <class T> inline void touch(const span<T> &s, size_t i, size_t bytes, size_t alignment, access kind) {
    const bool writes = kind != access::read && kind != access::fresh_read;
    const size_t n = bytes / sizeof(T);
    if (__builtin_expect(i + n > s.n || i + n < i, 0))
        report(defect::out_of_bounds, "element %zu of %zu is %s", i, s.n, writes ? "written" : "read");
    if (__builtin_expect(!s.home->live, 0)) report(defect::dead_memory, "memory that is not allocated");
    const size_t at = (size_t)((const char *)(s.p + i) - s.home->begin);
    if (__builtin_expect(at + bytes > s.home->bytes, 0)) report(defect::out_of_bounds, "a span beyond its region");
    if (__builtin_expect((uintptr_t)(s.p + i) % alignment != 0, 0))
        report(defect::misaligned, "%zu bytes at an odd place", bytes);
    if (s.home->is_shared) {
        for (size_t w = at / 4; w < (at + bytes + 3) / 4; w++) check_shared(*s.home, w, writes);
        return;
    }
    if (the_order().is_watched) check_launch_order(*s.home, at, bytes, kind);
    if (it().n_streams > 1) check_order(*s.home, at, bytes, writes);
    counters &c = it().count;
    (s.home->is_table ? c.table_bytes : writes ? c.written_bytes : c.read_bytes) += bytes;
}

template <class T> inline std::remove_const_t<T> ld(const span<T> &s, size_t i) {
    touch(s, i, sizeof(T), alignof(T), access::read);
    return s.p[i];
}
/* What others may be changing by atomic operations: as it is now, not as it was when it was read before. */
template <class T> inline std::remove_const_t<T> ld_fresh(const span<T> &s, size_t i) {
    touch(s, i, sizeof(T), alignof(T), access::fresh_read);
    return s.p[i];
}
template <class T> inline bool is_same(const span<T> &s, size_t i, const T &value) {
    return the_order().is_watched && i < s.n && std::memcmp(s.p + i, &value, sizeof value) == 0;
}
template <class T> inline void st(const span<T> &s, size_t i, T value) {
    touch(s, i, sizeof(T), alignof(T), is_same(s, i, value) ? access::same_write : access::write);
    s.p[i] = value;
}

struct alignas(16) word4 {
    uint32_t x, y, z, w;
};
template <class T> inline std::remove_const_t<T> ld16(const span<T> &s, size_t i) {
    static_assert(sizeof(T) == 16, "one access");
    touch(s, i, 16, 16, access::read);
    return s.p[i];
}
inline word4 ld4(const span<const uint32_t> &s, size_t i) {
    touch(s, i, 16, 16, access::read);
    return word4{s.p[i], s.p[i + 1], s.p[i + 2], s.p[i + 3]};
}
inline void st4(const span<uint32_t> &s, size_t i, word4 v) {
    touch(s, i, 16, 16, access::write);
    s.p[i] = v.x, s.p[i + 1] = v.y, s.p[i + 2] = v.z, s.p[i + 3] = v.w;
}

/* Atomics order themselves: other threads' accesses to shared memory are no race with them. */
template <class T> inline T atomic_min(const span<T> &s, size_t i, T v) {
    T old = s.p[i];
    if (!s.home->is_shared) touch(s, i, sizeof(T), alignof(T), access::atomic);
    if (v < old) s.p[i] = v;
    return old;
}
template <class T> inline T atomic_add(const span<T> &s, size_t i, T v) {
    T old = s.p[i];
    if (!s.home->is_shared) touch(s, i, sizeof(T), alignof(T), access::atomic);
    s.p[i] = (T)(old + v);
    return old;
}

} // namespace emu
#endif
