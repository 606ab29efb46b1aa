// Floats as eight bits: x is about scale * (q - zero).
//
// Symmetric: zero is 0, q in -127..127. Affine: q in -128..127, and 0.0 is exactly representable. The scale comes from
// what is finite; infinities saturate, and what is no number becomes 0.0.
#pragma once
#include "mybro/thread.h"

namespace mybro {
struct QuantiseArguments {
  uint columns;  // elements of a row, which has one scale and zero
  uint affine;
  uint rows;
};

constant constexpr uint kQuantiseRun = 4;

// ranges[row]: the smallest and the largest finite element, with zero between them.
inline void quantise_scales(device const float2 *ranges, device float *scales, device int *zeros,
                            const QuantiseArguments a, const Thread t) {
  const uint row = t.group.x * t.size + t.index;
  if (row >= a.rows) return;
  const float2 range = ranges[row];
  // Each end by itself: the distance between the two may be infinite.
  const float steps = a.affine ? range.y / 255.0f - range.x / 255.0f : max(-range.x, range.y) / 127.0f;
  const float scale = steps > 0.0f ? steps : 1.0f;
  scales[row] = scale;
  zeros[row] = a.affine ? int(clamp(rint(-128.0f - range.x / scale), -128.0f, 127.0f)) : 0;
}

// Grid: runs x rows.
template <typename T>
inline void quantise(device const T *x, device const float *scales, device const int *zeros, device char *q,
                     const QuantiseArguments a, const Thread t) {
  const float scale = scales[t.group.y];
  const float zero = float(zeros[t.group.y]);
  const float low = a.affine ? -128.0f : -127.0f;
  const ulong row = ulong(t.group.y) * a.columns;
  const uint first = kQuantiseRun * (t.group.x * t.size + t.index);
  for (uint i = first; i < min(first + kQuantiseRun, a.columns); ++i) {
    const float value = float(x[row + i]);
    const float level = isnan(value) ? zero : rint(value / scale) + zero;
    q[row + i] = char(clamp(level, low, 127.0f));
  }
}

// Grid: runs x rows.
template <typename T>
inline void dequantise(device const char *q, device const float *scales, device const int *zeros, device T *y,
                       const QuantiseArguments a, const Thread t) {
  const ulong row = ulong(t.group.y) * a.columns;
  const uint first = kQuantiseRun * (t.group.x * t.size + t.index);
  for (uint i = first; i < min(first + kQuantiseRun, a.columns); ++i)
    y[row + i] = T(float(int(q[row + i]) - zeros[t.group.y]) * scales[t.group.y]);
}
}  // namespace mybro
