#include <metal_stdlib>
using namespace metal;

constant constexpr uint TILE = 16;

// C (m, n) = A (m, k) B (k, n), all by rows; each threadgroup of 16 by 16 makes one tile of C.
kernel void matmul_f32(device const float* a [[buffer(0)]],
                       device const float* b [[buffer(1)]],
                       device float* c [[buffer(2)]],
                       constant uint3& shape [[buffer(3)]],
                       uint2 local [[thread_position_in_threadgroup]],
                       uint2 group [[threadgroup_position_in_grid]]) {
    threadgroup float left[TILE][TILE];
    threadgroup float right[TILE][TILE];
    const uint m = shape.x, k = shape.y, n = shape.z;
    const uint row = group.y * TILE + local.y, column = group.x * TILE + local.x;
    float sum = 0.0f;
    for (uint start = 0; start < k; start += TILE) {
        const uint across = start + local.x, down = start + local.y;
        left[local.y][local.x] = row < m && across < k ? a[row * k + across] : 0.0f;
        right[local.y][local.x] = down < k && column < n ? b[down * n + column] : 0.0f;
        threadgroup_barrier(mem_flags::mem_threadgroup);
        for (uint i = 0; i < TILE; ++i) sum = fma(left[local.y][i], right[i][local.x], sum);
        threadgroup_barrier(mem_flags::mem_threadgroup);
    }
    if (row < m && column < n) c[row * n + column] = sum;
}
