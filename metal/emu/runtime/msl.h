// The part of the Metal standard library that the kernels use, for clang.
//
// With MSL_LINT the address spaces are real types, so that clang finds what mixes them, and nothing can be run.
#pragma once
#include <type_traits>
#include "runtime.h"
#ifdef MSL_LINT
#define MSL_DEVICE __attribute__((address_space(1)))
#define MSL_CONSTANT __attribute__((address_space(2))) const
#define MSL_THREADGROUP __attribute__((address_space(3)))
#else
#define MSL_DEVICE
#define MSL_CONSTANT const
#define MSL_THREADGROUP
#endif
#define MSL_VARIABLE(id, name, extent, ...) auto &name = ::msl::variable<id, __VA_ARGS__ extent>()
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#define MSL_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef _Float16 half;
#define MSL_VECTORS(type)                                    \
  typedef type type##2 __attribute__((ext_vector_type(2)));  \
  typedef type type##3 __attribute__((ext_vector_type(3)));  \
  typedef type type##4 __attribute__((ext_vector_type(4)));
MSL_VECTORS(char)
MSL_VECTORS(uchar)
MSL_VECTORS(short)
MSL_VECTORS(ushort)
MSL_VECTORS(int)
MSL_VECTORS(uint)
MSL_VECTORS(half)
MSL_VECTORS(float)

namespace msl {
// One threadgroup variable, at the same place for all lanes of a threadgroup.
#ifdef MSL_LINT
template <int id, class T>
MSL_THREADGROUP T &variable();
#else
template <int id, class T>
T &variable() {
  static char key;
  return *static_cast<T *>(threadgroup_variable(&key, sizeof(T), alignof(T)));
}
#endif

template <class T>
constexpr bool is_scalar = std::is_arithmetic_v<T> || std::is_same_v<T, half>;
template <class V>
using element = std::remove_cv_t<std::remove_reference_t<decltype(V{}[0])>>;

template <class V, class A>
void append(V &vector, int &at, A value) {
  if constexpr (is_scalar<A>)
    vector[at++] = element<V>(value);
  else
    for (unsigned i = 0; i < sizeof(A) / sizeof(element<A>); ++i) vector[at++] = element<V>(value[i]);
}

// Runs `f(values, lane, active)` for each active lane once the last one has come.
template <class T, class F>
__attribute__((no_sanitize("thread"))) void combine(Lane *const *lanes, uint32_t active) {
  T in[simd_width] = {};
  for (uint32_t i = 0; i < simd_width; ++i)
    if (active >> i & 1) __builtin_memcpy(&in[i], lanes[i]->in, sizeof(T));
  for (uint32_t i = 0; i < simd_width; ++i) {
    if (!(active >> i & 1)) continue;
    T out = F()(in, i, active, lanes[i]->aux);
    __builtin_memcpy(lanes[i]->out, &out, sizeof(T));
  }
}

template <class F, class T>
T exchange(const char *what, T value, uint32_t aux, const char *file, int line) {
  T result;
  simd_operation({what, file, line}, combine<T, F>, &value, &result, sizeof(T), aux);
  return result;
}

// A value from another lane; from a lane that is not there it is undefined in MSL, and garbage here.
template <class T>
T from(const T *in, int other, uint32_t active) {
  T value;
  __builtin_memset(&value, garbage, sizeof(T));
  return other >= 0 && other < int(simd_width) && active >> other & 1 ? in[other] : value;
}
#define MSL_MOVE(name, expression)                                                  \
  struct name {                                                                     \
    template <class T>                                                              \
    T operator()(const T *in, uint32_t i, uint32_t active, uint32_t aux) {          \
      return from(in, expression, active);                                          \
    }                                                                               \
  };
MSL_MOVE(Shuffle, int(aux))
MSL_MOVE(ShuffleUp, int(i) - int(aux))
MSL_MOVE(ShuffleDown, int(i) + int(aux))
MSL_MOVE(ShuffleXor, int(i ^ aux))
#define MSL_FOLD(name, identity, expression, last)                                  \
  struct name {                                                                     \
    template <class T>                                                              \
    T operator()(const T *in, uint32_t i, uint32_t active, uint32_t) {              \
      T a = T(identity);                                                            \
      for (uint32_t k = 0; k < (last); ++k)                                         \
        if (active >> k & 1) {                                                      \
          T b = in[k];                                                              \
          a = expression;                                                           \
        }                                                                           \
      (void)i;                                                                      \
      return a;                                                                     \
    }                                                                               \
  };
MSL_FOLD(Sum, 0, T(a + b), simd_width)
MSL_FOLD(Product, 1, T(a * b), simd_width)
MSL_FOLD(Least, in[__builtin_ctz(active)], b < a ? b : a, simd_width)
MSL_FOLD(Most, in[__builtin_ctz(active)], a < b ? b : a, simd_width)
MSL_FOLD(PrefixInclusive, 0, T(a + b), i + 1)
MSL_FOLD(PrefixExclusive, 0, T(a + b), i)
MSL_FOLD(Ballot, 0, T(a | T(T(b != 0) << k)), simd_width)

template <class T>
T of_three(const U3 &value) {
  if constexpr (is_scalar<T>)
    return T(value.x);
  else {
    T result;
    const uint32_t parts[3] = {value.x, value.y, value.z};
    for (unsigned i = 0; i < sizeof(T) / sizeof(element<T>) && i < 3; ++i) result[i] = parts[i];
    return result;
  }
}
inline U3 in_group() {
  const U3 &size = group->size;
  uint32_t i = lane->index;
  return {i % size.x, i / size.x % size.y, i / size.x / size.y};
}
inline U3 in_grid(const U3 &full) {
  U3 t = in_group(), p = group->position;
  return {p.x * full.x + t.x, p.y * full.y + t.y, p.z * full.z + t.z};
}
}  // namespace msl

namespace metal {
template <class V, class... A>
V make(A... values) {
  V result;
  if constexpr (sizeof...(A) == 1 && (msl::is_scalar<A> && ...))
    result = (V)(static_cast<msl::element<V>>(values), ...);
  else {
    int at = 0;
    (msl::append(result, at, values), ...);
  }
  return result;
}

#define MSL_MATH(name, call)                        \
  inline float name(float x) { return call(x); }    \
  inline half name(half x) { return half(call(float(x))); }
MSL_MATH(exp, __builtin_expf)
// The C library looks at the bits of a denormal number, which a GPU takes for zero.
inline float log_of_flushed(float x) { return __builtin_logf(x + 0.0f); }
MSL_MATH(log, log_of_flushed)
MSL_MATH(tanh, __builtin_tanhf)
MSL_MATH(sqrt, __builtin_sqrtf)
MSL_MATH(fabs, __builtin_fabsf)
MSL_MATH(floor, __builtin_floorf)
MSL_MATH(rint, __builtin_rintf)
namespace precise {
using metal::exp, metal::log, metal::tanh, metal::sqrt;
}
inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline float copysign(float x, float sign) { return __builtin_copysignf(x, sign); }
inline bool isnan(float x) { return __builtin_isnan(x); }
inline bool isinf(float x) { return __builtin_isinf(x); }
inline bool isfinite(float x) { return __builtin_isfinite(x); }
template <class T>
T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
T max(T a, T b) {
  return a < b ? b : a;
}
template <class T>
T clamp(T x, T low, T high) {
  return min(max(x, low), high);
}
template <class To, class From>
To as_type(From value) {
  static_assert(sizeof(To) == sizeof(From));
  To result;
  __builtin_memcpy(&result, &value, sizeof result);
  return result;
}

enum class mem_flags : uint {
  mem_none = msl::nothing,
  mem_device = msl::device_memory,
  mem_threadgroup = msl::threadgroup_memory,
};
inline mem_flags operator|(mem_flags one, mem_flags other) { return mem_flags(uint(one) | uint(other)); }
inline void threadgroup_barrier(mem_flags orders, MSL_SITE) {
  msl::group_barrier({"threadgroup_barrier", file, line}, uint(orders));
}
inline void simdgroup_barrier(mem_flags orders, MSL_SITE) {
  msl::simd_operation({"simdgroup_barrier", file, line}, nullptr, nullptr, nullptr, 0, uint(orders));
}

#define MSL_SIMD(name, functor)                              \
  template <class T>                                         \
  T name(T value, MSL_SITE) {                                \
    return msl::exchange<msl::functor>(#name, value, 0, file, line); \
  }
MSL_SIMD(simd_sum, Sum)
MSL_SIMD(simd_product, Product)
MSL_SIMD(simd_min, Least)
MSL_SIMD(simd_max, Most)
MSL_SIMD(simd_prefix_inclusive_sum, PrefixInclusive)
MSL_SIMD(simd_prefix_exclusive_sum, PrefixExclusive)
#define MSL_SIMD_MOVE(name, functor)                         \
  template <class T>                                         \
  T name(T value, ushort which, MSL_SITE) {                  \
    return msl::exchange<msl::functor>(#name, value, which, file, line); \
  }
MSL_SIMD_MOVE(simd_shuffle, Shuffle)
MSL_SIMD_MOVE(simd_broadcast, Shuffle)
MSL_SIMD_MOVE(simd_shuffle_up, ShuffleUp)
MSL_SIMD_MOVE(simd_shuffle_down, ShuffleDown)
MSL_SIMD_MOVE(simd_shuffle_xor, ShuffleXor)
inline bool simd_any(bool value, MSL_SITE) {
  return msl::exchange<msl::Most>("simd_any", uint(value), 0, file, line) != 0;
}
inline bool simd_all(bool value, MSL_SITE) {
  return msl::exchange<msl::Least>("simd_all", uint(value), 0, file, line) != 0;
}
struct simd_vote {
  typedef ulong vote_t;
  vote_t votes;
  explicit operator vote_t() const { return votes; }
};
inline simd_vote simd_ballot(bool value, MSL_SITE) {
  return {msl::exchange<msl::Ballot>("simd_ballot", ulong(value), 0, file, line)};
}

enum memory_order { memory_order_relaxed };
template <class T>
struct atomic {
  T value;
};
typedef atomic<int> atomic_int;
typedef atomic<uint> atomic_uint;
template <class T>
struct itself {
  typedef T type;
};
#ifdef MSL_LINT
#define MSL_ATOMIC(signature, body, ...)                             \
  template <class T>                                                 \
  __VA_ARGS__ signature(MSL_DEVICE atomic<T> *a, MSL_LAST);          \
  template <class T>                                                 \
  __VA_ARGS__ signature(MSL_THREADGROUP atomic<T> *a, MSL_LAST);
#else
#define MSL_ATOMIC(signature, body, ...)               \
  template <class T>                                   \
  __VA_ARGS__ signature(atomic<T> *a, MSL_LAST) {      \
    body;                                              \
  }
#endif
#define MSL_LAST memory_order
MSL_ATOMIC(atomic_load_explicit, return __atomic_load_n(&a->value, __ATOMIC_RELAXED), T)
#undef MSL_LAST
#define MSL_LAST typename itself<T>::type x, memory_order
MSL_ATOMIC(atomic_store_explicit, __atomic_store_n(&a->value, x, __ATOMIC_RELAXED), void)
MSL_ATOMIC(atomic_fetch_add_explicit, return __atomic_fetch_add(&a->value, x, __ATOMIC_RELAXED), T)
MSL_ATOMIC(atomic_fetch_or_explicit, return __atomic_fetch_or(&a->value, x, __ATOMIC_RELAXED), T)
MSL_ATOMIC(atomic_fetch_min_explicit, return __atomic_fetch_min(&a->value, x, __ATOMIC_RELAXED), T)
MSL_ATOMIC(atomic_fetch_max_explicit, return __atomic_fetch_max(&a->value, x, __ATOMIC_RELAXED), T)
}  // namespace metal

// Where a kernel's parameters with an attribute come from.
namespace msl {
#define MSL_ATTRIBUTE(name, expression) \
  template <class T>                    \
  T attribute_##name() {                \
    return of_three<T>(expression);     \
  }
MSL_ATTRIBUTE(thread_position_in_threadgroup, in_group())
MSL_ATTRIBUTE(thread_position_in_grid, in_grid(group->full))
MSL_ATTRIBUTE(threads_per_threadgroup, group->size)
MSL_ATTRIBUTE(threads_per_grid, group->threads)
MSL_ATTRIBUTE(threadgroup_position_in_grid, group->position)
MSL_ATTRIBUTE(threadgroups_per_grid, group->count)
MSL_ATTRIBUTE(thread_index_in_threadgroup, (U3{lane->index, 0, 0}))
MSL_ATTRIBUTE(thread_index_in_simdgroup, (U3{lane->lane, 0, 0}))
MSL_ATTRIBUTE(simdgroup_index_in_threadgroup, (U3{lane->simd, 0, 0}))
MSL_ATTRIBUTE(simdgroups_per_threadgroup, (U3{group->simds, 0, 0}))
MSL_ATTRIBUTE(threads_per_simdgroup, (U3{simd_width, 0, 0}))
}  // namespace msl
