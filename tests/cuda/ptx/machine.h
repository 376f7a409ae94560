/* A machine for PTX, the text that nvcc makes of kernels before it makes code for one GPU: what the compiler's front
 * end understood of the kernels runs here on the processor, instruction by instruction, with memory that is checked.
 * Blocks run one after another, backwards by turns, and threads until they must wait for others. What it does not know
 * of the language, and whatever a kernel must not do, ends the program with a line that says so. */
#ifndef PR_TESTS_CUDA_PTX_MACHINE_H
#define PR_TESTS_CUDA_PTX_MACHINE_H
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ptx {

enum class op : uint8_t {
    mov,
    add,
    sub,
    mul_lo,
    mul_hi,
    mul_wide,
    mad_lo,
    mad_hi,
    mad_wide,
    div,
    rem,
    neg,
    abs,
    min,
    max,
    and_,
    or_,
    xor_,
    not_,
    shl,
    shr,
    shf_l,
    shf_r,
    selp,
    setp,
    cvt,
    ld,
    st,
    bra,
    ret,
    bar,
    fence,
    atom_add,
    atom_min,
    brev,
    clz,
    popc,
    bfind,
    bfe,
    bfi,
    prmt,
    lop3,
    shfl_bfly,
    shfl_idx,
    shfl_up,
    shfl_down,
    nop
};
enum class space : uint8_t { none, global, shared, local, param };
enum class compare : uint8_t { eq, ne, lt, le, gt, ge };
enum class join : uint8_t { none, and_, or_, xor_ }; /* of a comparison with a predicate */

/* A register, a special one, or a value. */
struct operand {
    enum kind_of : uint8_t { none, reg, value, special } kind = none;
    int64_t v = 0; /* the register's number, or the value; of memory, beside: */
    int64_t offset = 0;
};
enum special { tid_x, ctaid_x, ctaid_y, ntid_x, nctaid_x, nctaid_y, tid_y, ntid_y, laneid };

struct insn {
    op what = op::nop;
    bool is_signed = false, is_clamped = false, is_negated = false;
    uint8_t bits = 0, from_bits = 0, vector = 1; /* from_bits, is_from_signed: of cvt */
    bool is_from_signed = false;
    space where = space::none;
    compare cmp = compare::eq;
    join with = join::none;
    int32_t guard = -1; /* the predicate's register */
    uint32_t line = 0, target = 0;
    operand to[4], from[5];
    uint8_t n_to = 0, n_from = 0;
};

struct parameter {
    size_t offset, bytes;
};

struct kernel {
    std::string name;
    std::vector<insn> code;
    std::vector<parameter> parameters;
    size_t parameter_bytes = 0, shared_bytes = 0, local_bytes = 0;
    unsigned n_registers = 0, most_threads = 1024;
};

/* All kernels of a module's text. */
void read_module(std::map<std::string, kernel> &out, const char *text, size_t n);

struct shape {
    unsigned x, y, z;
};
/* Runs a grid to its end. Arguments lie behind one another as the kernel's parameters do. */
void run_grid(const kernel &k, shape grid, shape block, size_t dynamic_bytes, const std::vector<char> &arguments);

/* Memory of the device, by the runtime: ends the program where [p, p + bytes) is none. */
void check_global(uint64_t p, size_t bytes);

[[noreturn, gnu::format(printf, 1, 2)]] void stop(const char *format, ...);

/* Since the program started. */
struct counters {
    uint64_t instructions, launches;
};
extern counters count;

} // namespace ptx
#endif
