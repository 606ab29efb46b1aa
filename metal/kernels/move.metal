// copy, transpose, repack. Metal itself has a function that is called transpose.
#include "mybro/move.h"

using namespace metal;

template <typename T>
[[kernel]] void copy_kernel(device const T *x [[buffer(0)]], device T *y [[buffer(1)]],
                            constant mybro::CopyArguments &a [[buffer(2)]], MYBRO_POSITION) {
  mybro::copy<T>(x, y, a, MYBRO_HERE);
}

template <typename T>
[[kernel]] void transpose_kernel(device const T *x [[buffer(0)]], device T *y [[buffer(1)]],
                                 constant mybro::TransposeArguments &a [[buffer(2)]], MYBRO_POSITION) {
  threadgroup T tile[mybro::kTransposeTile * mybro::kTransposePitch];
  mybro::transpose<T>(x, y, a, tile, MYBRO_HERE);
}

template <typename T>
[[kernel]] void repack_kernel(device const T *x [[buffer(0)]], device T *y [[buffer(1)]],
                              constant mybro::RepackArguments &a [[buffer(2)]], MYBRO_POSITION) {
  mybro::repack<T>(x, y, a, MYBRO_HERE);
}

#define MOVE_AS(function, name, suffix, type) \
  template [[host_name(name "_" suffix)]] [[kernel]] decltype(function<type>) function<type>;
#define MOVE(function, name)                  \
  MOVE_AS(function, name, "8", uchar)         \
  MOVE_AS(function, name, "16", ushort)       \
  MOVE_AS(function, name, "32", uint)         \
  MOVE_AS(function, name, "64", ulong)

MOVE_AS(copy_kernel, "copy", "32", uint)
MOVE(transpose_kernel, "transpose")
MOVE(repack_kernel, "repack")
