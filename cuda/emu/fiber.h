/* Switching between stacks: the threads of a block are fibers of one real thread. By hand on x86-64, elsewhere with
 * ucontext. */
#ifndef PR_EMU_FIBER_H
#define PR_EMU_FIBER_H
#include <cstddef>
#include <cstdint>
#include <sys/mman.h>
#include <vector>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace emu {

constexpr size_t stack_bytes = 128 << 10;

/* What the thread sanitizer has to know of a fiber. Functions that leave one for good are not to be watched by it. */
#if defined(__SANITIZE_THREAD__)
#define PR_EMU_UNWATCHED [[gnu::no_sanitize_thread, gnu::noinline]]
inline void *make_watched() { return __tsan_create_fiber(0); }
inline void *watched_now() { return __tsan_get_current_fiber(); }
inline void watch(void *fiber) { __tsan_switch_to_fiber(fiber, 0); }
#else
#define PR_EMU_UNWATCHED
inline void *make_watched() { return nullptr; }
inline void *watched_now() { return nullptr; }
inline void watch(void *) {}
#endif

#if defined(__x86_64__)
struct context {
    void *sp = nullptr, *watched = nullptr;
};
/* Saves what a call must keep on this stack, and its place in *from; goes on where the other one stopped. */
[[gnu::naked, gnu::noinline]] inline void switch_stacks(void ** /* from: rdi */, void * /* to: rsi */) {
    asm volatile("push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
                 "mov %rsp, (%rdi)\n mov %rsi, %rsp\n"
                 "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n ret\n");
}
PR_EMU_UNWATCHED inline void switch_to(context &from, context &to) {
    from.watched = watched_now();
    watch(to.watched);
    switch_stacks(&from.sp, to.sp);
}
inline void prepare(context &c, char *stack, void (*entry)()) {
    uintptr_t *top = (uintptr_t *)(stack + stack_bytes);
    *--top = 0;                /* where entry would return to: it never does */
    *--top = (uintptr_t)entry; /* aligned as after a call */
    for (int k = 0; k < 6; k++) *--top = 0;
    c.sp = top;
    if (!c.watched) c.watched = make_watched();
}
#else
struct context {
    ucontext_t c;
};
inline void switch_to(context &from, context &to) { swapcontext(&from.c, &to.c); }
inline void prepare(context &c, char *stack, void (*entry)()) {
    getcontext(&c.c);
    c.c.uc_stack.ss_sp = stack;
    c.c.uc_stack.ss_size = stack_bytes;
    c.c.uc_link = nullptr;
    makecontext(&c.c, entry, 0);
}
#endif

/* Stacks are mapped once and used again; below each lies a page that nobody may touch. */
class stack_pool {
    std::vector<char *> free_;

  public:
    char *take() {
        if (free_.empty()) {
            void *p = mmap(nullptr, stack_bytes + 4096, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (p == MAP_FAILED) __builtin_trap();
            mprotect(p, 4096, PROT_NONE);
            return (char *)p + 4096;
        }
        char *stack = free_.back();
        free_.pop_back();
        return stack;
    }
    void give(char *stack) { free_.push_back(stack); }
};

} // namespace emu
#endif
