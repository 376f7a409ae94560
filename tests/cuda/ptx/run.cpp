/* Blocks of PTX, run. */
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include "machine.h"

namespace ptx {

counters count;

void stop(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("ptx: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(3);
}

namespace {

constexpr unsigned warp_size = 32;
enum class wait : uint8_t { ready, barrier, exchange, done };

struct thread {
    uint32_t pc, id;
    wait what;
    uint64_t *r;
    char *local;
};

/* What a block has. */
struct machine {
    const kernel &k;
    shape grid, block, at;
    unsigned n_threads;
    const std::vector<char> &arguments;
    std::vector<char> shared;
    std::vector<uint64_t> registers;
    std::vector<char> local;
    std::vector<thread> threads;
};

uint64_t special_of(const machine &m, const thread &t, int64_t which) {
    switch (which) {
    case tid_x:
        return t.id % m.block.x;
    case tid_y:
        return t.id / m.block.x;
    case ctaid_x:
        return m.at.x;
    case ctaid_y:
        return m.at.y;
    case ntid_x:
        return m.block.x;
    case ntid_y:
        return m.block.y;
    case nctaid_x:
        return m.grid.x;
    case nctaid_y:
        return m.grid.y;
    default:
        return t.id % warp_size;
    }
}
inline uint64_t value_of(const machine &m, const thread &t, const operand &o) {
    if (o.kind == operand::reg) return t.r[o.v];
    return o.kind == operand::value ? (uint64_t)o.v : special_of(m, t, o.v);
}
inline uint64_t cut(uint64_t v, unsigned bits) { return bits == 64 ? v : v & ((1ull << bits) - 1); }
inline int64_t with_sign(uint64_t v, unsigned bits) { return (int64_t)(v << (64 - bits)) >> (64 - bits); }
inline uint64_t widened(const insn &i, uint64_t v) {
    return i.is_signed ? (uint64_t)with_sign(v, i.bits) : cut(v, i.bits);
}

/* ---- memory ---- */

char *place_of(machine &m, thread &t, const insn &i, const operand &o, size_t bytes) {
    const uint64_t at = value_of(m, t, o) + (uint64_t)o.offset;
    char *base = nullptr;
    size_t size = 0;
    if (at % bytes != 0) stop("%s, line %u: %zu bytes at an odd place", m.k.name.c_str(), i.line, bytes);
    switch (i.where) {
    case space::shared:
        base = m.shared.data(), size = m.shared.size();
        break;
    case space::local:
        base = t.local, size = m.k.local_bytes;
        break;
    case space::param:
        base = const_cast<char *>(m.arguments.data()), size = m.arguments.size();
        break;
    default:
        check_global(at, bytes);
        return (char *)at;
    }
    if (at + bytes > size || at + bytes < at)
        stop("%s, line %u: byte %llu of %zu", m.k.name.c_str(), i.line, (unsigned long long)at, size);
    return base + at;
}
void load(machine &m, thread &t, const insn &i) {
    const size_t each = i.bits / 8;
    const char *p = place_of(m, t, i, i.from[0], each * i.vector);
    for (unsigned n = 0; n < i.vector; n++) {
        uint64_t v = 0;
        memcpy(&v, p + n * each, each);
        t.r[i.to[n].v] = i.is_signed ? (uint64_t)with_sign(v, i.bits) : v;
    }
}
void store(machine &m, thread &t, const insn &i) {
    const size_t each = i.bits / 8;
    char *p = place_of(m, t, i, i.from[0], each * i.vector);
    for (unsigned n = 0; n < i.vector; n++) {
        const uint64_t v = value_of(m, t, i.from[1 + n]);
        memcpy(p + n * each, &v, each);
    }
}
void atomic(machine &m, thread &t, const insn &i) {
    const size_t bytes = i.bits / 8;
    char *p = place_of(m, t, i, i.from[0], bytes);
    const uint64_t v = cut(value_of(m, t, i.from[1]), i.bits);
    uint64_t old = 0;
    memcpy(&old, p, bytes);
    const uint64_t now = i.what == op::atom_add ? old + v : std::min(old, v);
    memcpy(p, &now, bytes);
    if (i.n_to) t.r[i.to[0].v] = old;
}

/* ---- arithmetic ---- */

bool holds(const insn &i, uint64_t a, uint64_t b) {
    const bool less = i.is_signed ? (int64_t)a < (int64_t)b : a < b;
    switch (i.cmp) {
    case compare::eq:
        return a == b;
    case compare::ne:
        return a != b;
    case compare::lt:
        return less;
    case compare::le:
        return less || a == b;
    case compare::gt:
        return !less && a != b;
    default:
        return !less;
    }
}
uint64_t compared(const machine &m, const thread &t, const insn &i, uint64_t a, uint64_t b) {
    const bool is = holds(i, a, b);
    if (i.with == join::none) return is;
    const bool other = value_of(m, t, i.from[2]) & 1;
    return i.with == join::and_ ? is && other : i.with == join::or_ ? is || other : is != other;
}
uint64_t high_half(const insn &i, uint64_t a, uint64_t b) {
    if (i.bits == 32) return (uint64_t)((int64_t)(a * b) >> 32);
    return i.is_signed ? (uint64_t)((__int128)(int64_t)a * (int64_t)b >> 64)
                       : (uint64_t)((unsigned __int128)a * b >> 64);
}
uint64_t divided(const insn &i, uint64_t a, uint64_t b, bool rest) {
    if (!b) stop("line %u: division by 0", i.line);
    if (i.is_signed) return (uint64_t)(rest ? (int64_t)a % (int64_t)b : (int64_t)a / (int64_t)b);
    return rest ? a % b : a / b;
}
uint64_t shifted(const insn &i, uint64_t a, uint64_t by) {
    by = cut(by, 32);
    if (i.what == op::shl) return by >= i.bits ? 0 : a << by;
    if (i.is_signed) return (uint64_t)((int64_t)a >> (by >= i.bits ? i.bits - 1u : by));
    return by >= i.bits ? 0 : a >> by;
}
/* Of the 64 bits b:a the upper or lower half, shifted. */
uint64_t funnel(const insn &i, uint64_t a, uint64_t b, uint64_t by) {
    by = cut(by, 32);
    by = i.is_clamped ? std::min<uint64_t>(by, 32) : by & 31;
    const uint64_t both = b << 32 | cut(a, 32);
    return i.what == op::shf_r ? (by == 32 ? b : both >> by) : (by == 32 ? a : both << by >> 32);
}
uint64_t reversed(uint64_t v, unsigned bits) {
    uint64_t out = 0;
    for (unsigned k = 0; k < bits; k++) out |= (v >> k & 1) << (bits - 1 - k);
    return out;
}
uint64_t extracted(const insn &i, uint64_t a, uint64_t from, uint64_t n) {
    from &= 255, n &= 255;
    const uint64_t v = from >= i.bits ? 0 : cut(a, i.bits) >> from, mask = n >= 64 ? ~0ull : (1ull << n) - 1;
    if (i.is_signed && n) stop("line %u: bfe of signed values", i.line);
    return v & mask;
}
uint64_t inserted(const insn &i, uint64_t a, uint64_t b, uint64_t from, uint64_t n) {
    from &= 255, n &= 255;
    if (from >= i.bits || !n) return b;
    const uint64_t mask = (n >= 64 ? ~0ull : (1ull << n) - 1) << from;
    return (b & ~mask) | (a << from & mask);
}
uint64_t permuted(uint64_t a, uint64_t b, uint64_t how) {
    const uint64_t both = b << 32 | cut(a, 32);
    uint64_t out = 0;
    for (unsigned k = 0; k < 4; k++) {
        const unsigned s = (unsigned)(how >> (4 * k)) & 15;
        uint64_t byte = both >> (8 * (s & 7)) & 255;
        if (s & 8) byte = byte & 128 ? 255 : 0;
        out |= byte << (8 * k);
    }
    return out;
}
uint64_t looked_up(uint64_t a, uint64_t b, uint64_t c, uint64_t table) {
    uint64_t out = 0;
    for (unsigned k = 0; k < 32; k++) out |= (table >> ((a >> k & 1) << 2 | (b >> k & 1) << 1 | (c >> k & 1)) & 1) << k;
    return out;
}
uint64_t leading_zeros(uint64_t v, unsigned bits) { return v ? (uint64_t)__builtin_clzll(v) - (64 - bits) : bits; }

uint64_t computed(const machine &m, const thread &t, const insn &i) {
    const bool is_shift = i.what == op::shl || i.what == op::shr;
    const uint64_t a = widened(i, value_of(m, t, i.from[0]));
    const uint64_t b = i.n_from < 2 ? 0 : is_shift ? value_of(m, t, i.from[1]) : widened(i, value_of(m, t, i.from[1]));
    const uint64_t c = i.n_from < 3 ? 0 : value_of(m, t, i.from[2]);
    switch (i.what) {
    case op::mov:
        return i.n_from == 2 ? b << (i.bits / 2) | cut(a, i.bits / 2u) : a;
    case op::add:
        return a + b;
    case op::sub:
        return a - b;
    case op::mul_lo:
    case op::mul_wide:
        return a * b;
    case op::mul_hi:
        return high_half(i, a, b);
    case op::mad_lo:
    case op::mad_wide:
        return a * b + c;
    case op::mad_hi:
        return high_half(i, a, b) + c;
    case op::div:
        return divided(i, a, b, false);
    case op::rem:
        return divided(i, a, b, true);
    case op::neg:
        return 0 - a;
    case op::abs:
        return (int64_t)a < 0 ? 0 - a : a;
    case op::min:
        return (i.is_signed ? (int64_t)a < (int64_t)b : a < b) ? a : b;
    case op::max:
        return (i.is_signed ? (int64_t)a < (int64_t)b : a < b) ? b : a;
    case op::and_:
        return a & b;
    case op::or_:
        return a | b;
    case op::xor_:
        return a ^ b;
    case op::not_:
        return i.bits == 1 ? !a : ~a;
    case op::shl:
    case op::shr:
        return shifted(i, a, b);
    case op::shf_l:
    case op::shf_r:
        return funnel(i, a, b, c);
    case op::selp:
        return c & 1 ? a : b;
    case op::setp:
        return compared(m, t, i, a, b);
    case op::brev:
        return reversed(a, i.bits);
    case op::clz:
        return leading_zeros(a, i.bits);
    case op::popc:
        return (uint64_t)__builtin_popcountll(a);
    case op::bfind:
        return a ? i.bits - 1 - leading_zeros(a, i.bits) : ~0ull;
    case op::bfe:
        return extracted(i, a, b, c);
    case op::bfi:
        return inserted(i, a, b, c, value_of(m, t, i.from[3]));
    case op::prmt:
        return permuted(a, b, c);
    case op::lop3:
        return looked_up(a, b, c, value_of(m, t, i.from[3]));
    default:
        stop("%s, line %u: not computed", m.k.name.c_str(), i.line);
    }
}
/* to.bits = cvt of from_bits: from a value of from_bits, its sign as it says. */
uint64_t converted(const machine &m, const thread &t, const insn &i) {
    const uint64_t v = value_of(m, t, i.from[0]);
    return i.is_from_signed ? (uint64_t)with_sign(v, i.from_bits) : cut(v, i.from_bits);
}
unsigned bits_of_result(const insn &i) {
    if (i.what == op::setp) return 1;
    if (i.what == op::clz || i.what == op::popc || i.what == op::bfind) return 32;
    return i.what == op::mul_wide || i.what == op::mad_wide ? 2u * i.bits : i.bits;
}
void compute(const machine &m, thread &t, const insn &i) {
    const uint64_t v = i.what == op::cvt ? converted(m, t, i) : computed(m, t, i);
    if (i.n_to == 1) {
        t.r[i.to[0].v] = cut(v, bits_of_result(i));
        return;
    }
    if (i.what != op::mov) stop("line %u: two results", i.line);
    for (unsigned n = 0; n < i.n_to; n++) t.r[i.to[n].v] = cut(v >> (n * i.bits / i.n_to), i.bits / i.n_to);
}

/* ---- control ---- */

/* Until the thread waits for others, or ends. */
void run_thread(machine &m, thread &t) {
    for (;;) {
        if (t.pc >= m.k.code.size()) stop("%s: the end of its code", m.k.name.c_str());
        const insn &i = m.k.code[t.pc++];
        count.instructions++;
        if (i.guard >= 0 && (t.r[i.guard] & 1) == i.is_negated) continue;
        switch (i.what) {
        case op::ld:
            load(m, t, i);
            break;
        case op::st:
            store(m, t, i);
            break;
        case op::atom_add:
        case op::atom_min:
            atomic(m, t, i);
            break;
        case op::bra:
            t.pc = i.target;
            break;
        case op::fence:
        case op::nop:
            break;
        case op::ret:
            t.what = wait::done;
            return;
        case op::bar:
            t.what = wait::barrier;
            return;
        case op::shfl_bfly:
        case op::shfl_idx:
        case op::shfl_up:
        case op::shfl_down:
            t.what = wait::exchange;
            return;
        default:
            compute(m, t, i);
        }
    }
}

/* The lane that a shuffle reads; c: as a whole warp has it, for no other is known here. */
unsigned lane_read(const insn &i, unsigned lane, unsigned by, uint64_t c) {
    if ((c & 0xff1f) != (i.what == op::shfl_up ? 0u : 31u)) stop("line %u: a shuffle among parts of a warp", i.line);
    const unsigned to = i.what == op::shfl_bfly   ? lane ^ by
                        : i.what == op::shfl_idx  ? by
                        : i.what == op::shfl_down ? lane + by
                                                  : lane - by;
    return to < warp_size ? to : lane;
}
/* Whether the lanes of a warp that this one exchanges with are there; then they have what they read, and go on. */
bool exchange(machine &m, unsigned first, unsigned lane) {
    const uint32_t pc = m.threads[first + lane].pc;
    const insn &i = m.k.code[pc - 1];
    const uint64_t mask = cut(value_of(m, m.threads[first + lane], i.from[3]), 32);
    uint64_t given[warp_size];
    for (unsigned k = 0; k < warp_size; k++) {
        if (!(mask >> k & 1)) continue;
        const bool is_there =
            first + k < m.n_threads && m.threads[first + k].what == wait::exchange && m.threads[first + k].pc == pc;
        if (!is_there) return false;
        given[k] = value_of(m, m.threads[first + k], i.from[0]);
    }
    if (!(mask >> lane & 1)) stop("%s, line %u: a lane that is not in its own mask", m.k.name.c_str(), i.line);
    for (unsigned k = 0; k < warp_size; k++) {
        if (!(mask >> k & 1)) continue;
        thread &t = m.threads[first + k];
        const unsigned from = lane_read(i, k, (unsigned)value_of(m, t, i.from[1]), value_of(m, t, i.from[2]));
        if (!(mask >> from & 1)) stop("%s, line %u: a lane that is not in the mask is read", m.k.name.c_str(), i.line);
        t.r[i.to[0].v] = cut(given[from], i.bits);
        if (i.n_to > 1) t.r[i.to[1].v] = 1;
        t.what = wait::ready;
    }
    return true;
}
bool release(machine &m) {
    bool any = false;
    unsigned n_waiting = 0;
    for (unsigned k = 0; k < m.n_threads; k++) {
        if (m.threads[k].what == wait::exchange) any |= exchange(m, k / warp_size * warp_size, k % warp_size);
        n_waiting += m.threads[k].what == wait::barrier;
    }
    if (n_waiting < m.n_threads) return any;
    for (thread &t : m.threads) t.what = wait::ready;
    return true;
}

void run_block(machine &m) {
    std::fill(m.shared.begin(), m.shared.end(), (char)0xd5);
    for (unsigned k = 0; k < m.n_threads; k++)
        m.threads[k] =
            thread{0, k, wait::ready, &m.registers[(size_t)k * m.k.n_registers], m.local.data() + k * m.k.local_bytes};
    for (unsigned n_done = 0; n_done < m.n_threads;) {
        bool any = false;
        for (thread &t : m.threads) {
            if (t.what != wait::ready) continue;
            run_thread(m, t);
            any = true;
            n_done += t.what == wait::done;
        }
        if (!any && !release(m))
            stop("%s: %u of %u threads have ended, the others wait for each other", m.k.name.c_str(), n_done,
                 m.n_threads);
    }
}

} // namespace

void run_grid(const kernel &k, shape grid, shape block, size_t dynamic_bytes, const std::vector<char> &arguments) {
    const unsigned n_threads = block.x * block.y * block.z;
    const size_t n_blocks = (size_t)grid.x * grid.y;
    machine m = {k, grid, block, {}, n_threads, arguments, {}, {}, {}, {}};
    m.shared.resize((k.shared_bytes + 15) / 16 * 16 + dynamic_bytes);
    m.registers.resize((size_t)n_threads * k.n_registers, 0xd5d5d5d5d5d5d5d5u);
    m.local.resize(n_threads * k.local_bytes, (char)0xd5);
    m.threads.resize(n_threads);
    for (size_t n = 0; n < n_blocks; n++) {
        const size_t i = count.launches & 1 ? n_blocks - 1 - n : n;
        m.at = shape{(unsigned)(i % grid.x), (unsigned)(i / grid.x), 0};
        run_block(m);
    }
    count.launches++;
}

} // namespace ptx
