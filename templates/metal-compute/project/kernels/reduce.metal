#include <metal_stdlib>
using namespace metal;

// Each threadgroup leaves one sum; the host adds those. Neumaier's way keeps what rounding drops.
kernel void sum_f32(device const float* in [[buffer(0)]],
                    device float* out [[buffer(1)]],
                    constant uint& length [[buffer(2)]],
                    uint index [[thread_position_in_grid]],
                    uint total [[threads_per_grid]],
                    uint lane [[thread_index_in_simdgroup]],
                    uint simd [[simdgroup_index_in_threadgroup]],
                    uint simds [[simdgroups_per_threadgroup]],
                    uint group [[threadgroup_position_in_grid]]) {
    threadgroup float partial[32];
    float sum = 0.0f, rest = 0.0f;
    for (uint i = index; i < length; i += total) {
        float value = in[i], next = sum + value;
        rest += fabs(sum) >= fabs(value) ? (sum - next) + value : (value - next) + sum;
        sum = next;
    }
    float part = simd_sum(sum + rest);
    if (lane == 0) partial[simd] = part;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (simd == 0) {
        float all = simd_sum(lane < simds ? partial[lane] : 0.0f);
        if (lane == 0) out[group] = all;
    }
}
