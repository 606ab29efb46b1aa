// One result for each element. Halves are computed as floats and rounded once.
#pragma once
#include "mybro/thread.h"

namespace mybro {
struct MapArguments {
  uint count;
};

struct Exp {
  static float of(float x) { return precise::exp(x); }
};
struct Log {
  static float of(float x) { return precise::log(x); }
};
// From the side on which the exponential cannot overflow.
struct Sigmoid {
  static float of(float x) {
    const float e = precise::exp(-fabs(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
  }
};
// Beyond 10 the result rounds to one, and not every implementation stands large arguments.
struct Tanh {
  static float of(float x) { return fabs(x) < 10.0f ? precise::tanh(x) : x != x ? x : copysign(1.0f, x); }
};
struct Relu {
  static float of(float x) { return x < 0.0f ? 0.0f : x; }
};
struct Abs {
  static float of(float x) { return fabs(x); }
};
struct Neg {
  static float of(float x) { return -x; }
};
struct Add {
  static float of(float x, float y) { return x + y; }
};
struct Sub {
  static float of(float x, float y) { return x - y; }
};
struct Mul {
  static float of(float x, float y) { return x * y; }
};
struct Div {
  static float of(float x, float y) { return x / y; }
};

constant constexpr uint kMapRun = 4;  // elements of a lane, one after the other

template <typename Op, typename T>
inline void map_unary(device const T *x, device T *y, const MapArguments a, const Thread t) {
  const uint first = kMapRun * (t.group.x * t.size + t.index);
  for (uint i = first; i < min(first + kMapRun, a.count); ++i) y[i] = T(Op::of(float(x[i])));
}

template <typename Op, typename T>
inline void map_binary(device const T *x, device const T *y, device T *z, const MapArguments a, const Thread t) {
  const uint first = kMapRun * (t.group.x * t.size + t.index);
  for (uint i = first; i < min(first + kMapRun, a.count); ++i) z[i] = T(Op::of(float(x[i]), float(y[i])));
}
}  // namespace mybro
