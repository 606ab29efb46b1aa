// What the emulator gives to kernels: positions at ragged edges, operations of a simdgroup, vectors, atomics.
#include <metal_stdlib>

using namespace metal;

kernel void positions(device uint *y [[buffer(0)]], uint2 at [[thread_position_in_grid]],
                      uint2 all [[threads_per_grid]], uint2 group [[threadgroup_position_in_grid]],
                      uint2 groups [[threadgroups_per_grid]], uint2 size [[threads_per_threadgroup]],
                      uint2 in [[thread_position_in_threadgroup]], uint index [[thread_index_in_threadgroup]]) {
  const bool right = in.x + in.y * size.x == index && group.x < groups.x && group.y < groups.y;
  y[at.y * all.x + at.x] = right ? size.x * 100 + size.y : 0;
}

kernel void simdgroup(device uint *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]],
                      uint lane [[thread_index_in_simdgroup]], uint simd [[simdgroup_index_in_threadgroup]],
                      uint simds [[simdgroups_per_threadgroup]], uint width [[threads_per_simdgroup]]) {
  device uint *mine = y + 16 * i;
  mine[0] = simd_sum(lane);
  mine[1] = simd_min(lane + 3);
  mine[2] = simd_max(lane);
  mine[3] = simd_prefix_inclusive_sum(1u);
  mine[4] = simd_prefix_exclusive_sum(1u);
  mine[5] = simd_shuffle(lane, ushort(7));
  mine[6] = simd_broadcast(lane, ushort(2));
  mine[7] = simd_any(lane == 9) ? 1 : 0;
  mine[8] = simd_all(lane < 9) ? 1 : 0;
  mine[9] = uint(simd_vote::vote_t(simd_ballot(lane % 2 == 0)) & 0xff);
  mine[10] = simd_product(lane == 4 ? 6u : 1u);
  mine[11] = simd_shuffle_up(lane, ushort(0));
  mine[12] = simd;
  mine[13] = simds;
  mine[14] = width;
  simdgroup_barrier(mem_flags::mem_threadgroup);
  mine[15] = as_type<uint>(float2(1.0f, float(lane)).y);
}

kernel void vectors(device float4 *y [[buffer(0)]], device atomic_int *z [[buffer(1)]],
                    uint i [[thread_position_in_grid]]) {
  const float4 v = float4(float2(1.0f, 2.0f), 3.0f, 4.0f);
  y[i] = v.wzyx * 2.0h + float4(clamp(float(i), 1.0f, 2.0f));
  atomic_fetch_max_explicit(&z[0], int(i), memory_order_relaxed);
  atomic_fetch_min_explicit(&z[1], -int(i), memory_order_relaxed);
  atomic_fetch_or_explicit(&z[2], 1 << (i % 8), memory_order_relaxed);
}

kernel void endless(device atomic_uint *y [[buffer(0)]]) {
  while (atomic_load_explicit(&y[0], memory_order_relaxed) != 0) {
  }
}
