// dot and cosine: rowwise, and tiled for few (narrow) or many (wide) queries.
#include "mybro/batched.h"

using namespace metal;

template <typename T>
[[kernel]] void dot_rowwise(device const T *x [[buffer(0)]], device const T *y [[buffer(1)]],
                            device typename mybro::Arithmetic<T>::Sum *z [[buffer(2)]],
                            constant mybro::BatchedArguments &a [[buffer(3)]], MYBRO_POSITION) {
  mybro::dot_rowwise<T>(x, y, z, a, MYBRO_HERE);
}

template <typename T>
[[kernel]] void cosine_rowwise(device const T *x [[buffer(0)]], device const T *y [[buffer(1)]],
                               device float *z [[buffer(2)]], constant mybro::BatchedArguments &a [[buffer(3)]],
                               MYBRO_POSITION) {
  mybro::cosine_rowwise<T>(x, y, z, a, MYBRO_HERE);
}

template <typename T, typename Out, uint kAcross, uint kDown, bool cosine>
[[kernel]] void tiled(device const T *x [[buffer(0)]], device const T *y [[buffer(1)]],
                      device Out *z [[buffer(2)]], constant mybro::BatchedArguments &a [[buffer(3)]],
                      MYBRO_POSITION) {
  threadgroup T row_tile[mybro::kDepth * mybro::kRegisters * kAcross];
  threadgroup T query_tile[mybro::kDepth * mybro::kRegisters * kDown];
  mybro::tiled<T, Out, kAcross, kDown, cosine>(x, y, z, a, row_tile, query_tile, MYBRO_HERE);
}

#define ROWWISE(suffix, type)                                                                                \
  template [[host_name("dot_rowwise_" suffix)]] [[kernel]] decltype(dot_rowwise<type>) dot_rowwise<type>;    \
  template [[host_name("cosine_rowwise_" suffix)]] [[kernel]] decltype(cosine_rowwise<type>)                 \
      cosine_rowwise<type>;
#define TILED(name, ...) \
  template [[host_name(name)]] [[kernel]] decltype(tiled<__VA_ARGS__>) tiled<__VA_ARGS__>;
#define TILED_BOTH(suffix, type, sum)                            \
  TILED("dot_narrow_" suffix, type, sum, 64, 2, false)           \
  TILED("dot_wide_" suffix, type, sum, 16, 8, false)             \
  TILED("cosine_narrow_" suffix, type, float, 64, 2, true)       \
  TILED("cosine_wide_" suffix, type, float, 16, 8, true)

ROWWISE("f32", float)
ROWWISE("f16", half)
ROWWISE("i8", char)
TILED_BOTH("f32", float, float)
TILED_BOTH("f16", half, float)
TILED_BOTH("i8", char, int)
