// A stack of its own for each lane: hand-written on x86-64, ucontext elsewhere.
#pragma once
#include <cstddef>
#include <cstdint>
#if defined(__x86_64__) && !defined(MSL_UCONTEXT)
extern "C" void msl_switch(void **save, void *restore);
asm(R"(
.text
.globl msl_switch
.type msl_switch,@function
msl_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size msl_switch,.-msl_switch
)");

namespace msl {
struct Fiber {
  void *stack_pointer = nullptr;

  void prepare(unsigned char *low, size_t bytes, void (*start)()) {
    void **top = reinterpret_cast<void **>(reinterpret_cast<uintptr_t>(low + bytes) & ~uintptr_t{15});
    *--top = nullptr;  // where a return address would stand: the ABI's alignment on entry
    *--top = reinterpret_cast<void *>(start);
    for (int callee_saved = 0; callee_saved < 6; ++callee_saved) *--top = nullptr;
    stack_pointer = top;
  }
  static void swap(Fiber &from, Fiber &to) { msl_switch(&from.stack_pointer, to.stack_pointer); }
};
}  // namespace msl
#else
#include <ucontext.h>
namespace msl {
struct Fiber {
  ucontext_t context;

  void prepare(unsigned char *low, size_t bytes, void (*start)()) {
    getcontext(&context);
    context.uc_stack.ss_sp = low;
    context.uc_stack.ss_size = bytes;
    context.uc_link = nullptr;
    makecontext(&context, start, 0);
  }
  static void swap(Fiber &from, Fiber &to) { swapcontext(&from.context, &to.context); }
};
}  // namespace msl
#endif
