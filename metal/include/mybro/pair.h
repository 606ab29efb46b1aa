// Sums that carry their own rounding error: a pair is a value and what the additions so far have rounded away.
//
// It needs a compiler that does not reassociate: -fno-fast-math, and no contraction of what is written apart.
#pragma once
#include <metal_stdlib>

namespace mybro {
using namespace metal;

// x + y exactly, as a rounded sum and its error (Knuth's two-sum).
inline float2 two_sum(float x, float y) {
  const float sum = x + y;
  const float seen = sum - x;
  return float2(sum, (x - (sum - seen)) + (y - seen));
}

// x * y exactly, as a rounded product and its error.
inline float2 two_product(float x, float y) {
  const float product = x * y;
  return float2(product, fma(x, y, -product));
}

inline float2 pair_add(float2 a, float2 b) {
  const float2 sum = two_sum(a.x, b.x);
  return float2(sum.x, sum.y + (a.y + b.y));
}

// The pair as one number. The error of what is infinite or no number is no number, and is left out.
inline float pair_value(float2 a) { return isfinite(a.x) && isfinite(a.y) ? a.x + a.y : a.x; }
}  // namespace mybro
