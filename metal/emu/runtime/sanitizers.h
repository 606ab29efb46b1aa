// What the sanitizers are told. The runtime itself is compiled without instrumentation: only kernels are looked at.
#pragma once
#include <cstddef>
#include <cstdint>
#if MSL_TSAN
extern "C" {
void *__tsan_get_current_fiber();
void *__tsan_create_fiber(unsigned);
void __tsan_switch_to_fiber(void *, unsigned);
void __tsan_acquire(void *);
void __tsan_release(void *);
void AnnotateBenignRaceSized(const char *, int, const volatile void *, size_t, const char *);
}
#endif
#if MSL_ASAN
extern "C" {
void __asan_poison_memory_region(const volatile void *, size_t);
void __asan_unpoison_memory_region(const volatile void *, size_t);
}
#endif

namespace msl {
#if MSL_TSAN
inline void acquire(void *what) { __tsan_acquire(what); }
inline void release(void *what) { __tsan_release(what); }
inline void do_not_watch(void *start, size_t bytes) { AnnotateBenignRaceSized(__FILE__, __LINE__, start, bytes, ""); }
#else
inline void acquire(void *) {}
inline void release(void *) {}
inline void do_not_watch(void *, size_t) {}
#endif
#if MSL_ASAN
inline void poison(void *start, size_t bytes) { __asan_poison_memory_region(start, bytes); }
inline void unpoison(void *start, size_t bytes) { __asan_unpoison_memory_region(start, bytes); }
#else
inline void poison(void *, size_t) {}
inline void unpoison(void *, size_t) {}
#endif

// Not memset and memcpy, which ThreadSanitizer watches wherever they are called from.
inline void fill(unsigned char *to, unsigned char value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) to[i] = value;
}
inline void copy(unsigned char *to, const unsigned char *from, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) to[i] = from[i];
}
}  // namespace msl
