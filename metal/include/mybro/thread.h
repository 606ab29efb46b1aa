// Where a lane stands. A kernel lists MYBRO_POSITION among its parameters and hands MYBRO_HERE on.
#pragma once
#include <metal_stdlib>

namespace mybro {
using namespace metal;

constant constexpr uint kSimdWidth = 32;
constant constexpr uint kMostSimds = 32;

struct Thread {
  uint3 group;   // this threadgroup's place in the grid
  uint3 groups;  // threadgroups in the grid
  uint size;     // threads of this threadgroup
  uint index;    // this lane's place in its threadgroup
  uint lane;     // its place in its simdgroup
  uint simd;     // its simdgroup's place in the threadgroup
  uint simds;    // simdgroups of this threadgroup
};
}  // namespace mybro

#define MYBRO_POSITION                                                        \
  uint3 threadgroup_position_in_grid [[threadgroup_position_in_grid]],        \
      uint3 threadgroups_per_grid [[threadgroups_per_grid]],                  \
      uint3 threads_per_threadgroup [[threads_per_threadgroup]],              \
      uint thread_index_in_threadgroup [[thread_index_in_threadgroup]],       \
      uint thread_index_in_simdgroup [[thread_index_in_simdgroup]],           \
      uint simdgroup_index_in_threadgroup [[simdgroup_index_in_threadgroup]], \
      uint simdgroups_per_threadgroup [[simdgroups_per_threadgroup]]

#define MYBRO_HERE                                                                             \
  mybro::Thread {                                                                              \
    threadgroup_position_in_grid, threadgroups_per_grid,                                       \
        threads_per_threadgroup.x *threads_per_threadgroup.y *threads_per_threadgroup.z,       \
        thread_index_in_threadgroup, thread_index_in_simdgroup, simdgroup_index_in_threadgroup, \
        simdgroups_per_threadgroup                                                             \
  }
