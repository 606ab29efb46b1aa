// Reductions of each row of a matrix; a whole array is a matrix of one row.
//
// Rows that fit one threadgroup are reduced at once (reduce_whole). Long ones take two passes: each of `parts`
// threadgroups reduces its share of the row to a state (reduce_part), then one threadgroup reduces the states
// (reduce_states). States are combined in a fixed tree, so that the result depends on the shape and nothing else.
#pragma once
#include "mybro/pair.h"
#include "mybro/thread.h"

namespace mybro {
struct ReduceArguments {
  uint columns;     // elements of a row
  uint parts;       // threadgroups for a row
  float divisor;    // what a sum is divided by
  float threshold;  // what an element is compared with
};

// A reduction has a State, the state of nothing, a way to put in an element and to join two states, and a Result.
struct SumOf {
  typedef float2 State;
  typedef float Result;
  static State nothing() { return float2(0.0f, 0.0f); }
  static State join(State a, State b) { return pair_add(a, b); }
};

struct Sum : SumOf {
  static State put(State s, float x, const ReduceArguments a) { return pair_add(s, float2(x, 0.0f)); }
  static Result result(State s, const ReduceArguments a) { return pair_value(s); }
};
// The sum with what was rounded away, for a pass that goes on with it.
struct SumPair : Sum {
  typedef float2 Result;
  static Result result(State s, const ReduceArguments a) { return s; }
};
struct Mean : Sum {
  static Result result(State s, const ReduceArguments a) { return pair_value(s) / a.divisor; }
};
struct AbsSum : Sum {
  static State put(State s, float x, const ReduceArguments a) { return pair_add(s, float2(fabs(x), 0.0f)); }
};
struct SquareSum : Sum {
  static State put(State s, float x, const ReduceArguments a) { return pair_add(s, two_product(x, x)); }
};
struct L2 : SquareSum {
  static Result result(State s, const ReduceArguments a) { return sqrt(pair_value(s)); }
};

// The smallest and the largest; what is no number wins.
template <typename T, bool largest>
struct Extreme {
  typedef T State;
  typedef T Result;
  static State join(State a, State b) {
    if (a != a || b != b) return a != a ? a : b;
    return (largest ? a < b : b < a) ? b : a;
  }
  static State put(State s, T x, const ReduceArguments a) { return join(s, x); }
  static Result result(State s, const ReduceArguments a) { return s; }
};
struct Min : Extreme<float, false> {
  static float nothing() { return INFINITY; }
};
struct Max : Extreme<float, true> {
  static float nothing() { return -INFINITY; }
};
struct MinInt : Extreme<int, false> {
  static int nothing() { return 0x7fffffff; }
};
struct MaxInt : Extreme<int, true> {
  static int nothing() { return -0x7fffffff - 1; }
};

// Integers wrap around.
struct SumInt {
  typedef uint State;
  typedef int Result;
  static State nothing() { return 0u; }
  static State join(State a, State b) { return a + b; }
  static State put(State s, int x, const ReduceArguments a) { return s + uint(x); }
  static Result result(State s, const ReduceArguments a) { return int(s); }
};
struct ThresholdCount : SumInt {
  static State put(State s, float x, const ReduceArguments a) { return s + (x > a.threshold ? 1u : 0u); }
};

// The range of what is finite, with zero in it.
struct Range {
  typedef float2 State;
  typedef float2 Result;
  static State nothing() { return float2(0.0f, 0.0f); }
  static State join(State a, State b) { return float2(min(a.x, b.x), max(a.y, b.y)); }
  static State put(State s, float x, const ReduceArguments a) { return isfinite(x) ? join(s, float2(x, x)) : s; }
  static Result result(State s, const ReduceArguments a) { return s; }
};

// The state of all lanes of a threadgroup, in its first lane. `shared` holds one state for each simdgroup.
template <typename Op>
inline typename Op::State join_lanes(typename Op::State s, threadgroup typename Op::State *shared, const Thread t) {
  // Threadgroups of this library are whole simdgroups: every lane asked for is there.
  for (ushort step = kSimdWidth / 2; step > 0; step /= 2) s = Op::join(s, simd_shuffle_xor(s, step));
  if (t.lane == 0) shared[t.simd] = s;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  s = t.lane < t.simds ? shared[t.lane] : Op::nothing();
  for (ushort step = kSimdWidth / 2; step > 0; step /= 2) s = Op::join(s, simd_shuffle_xor(s, step));
  return s;
}

// This lane's share of a row: every `stride`th run of four elements.
template <typename Op, typename T>
inline typename Op::State fold(device const T *x, uint start, uint stride, const ReduceArguments a) {
  typename Op::State s = Op::nothing();
  const uint whole = a.columns & ~3u;
  for (uint i = 4 * start; i < whole; i += 4 * stride) {
    s = Op::put(s, x[i], a);
    s = Op::put(s, x[i + 1], a);
    s = Op::put(s, x[i + 2], a);
    s = Op::put(s, x[i + 3], a);
  }
  if (start < a.columns - whole) s = Op::put(s, x[whole + start], a);
  return s;
}

template <typename Op, typename T>
inline typename Op::State reduce_row(device const T *x, const ReduceArguments a,
                                     threadgroup typename Op::State *shared, const Thread t) {
  const uint start = t.group.x * t.size + t.index;
  const ulong row = ulong(t.group.y) * a.columns;
  return join_lanes<Op>(fold<Op>(x + row, start, t.groups.x * t.size, a), shared, t);
}

// Grid: parts x rows. states[row, part].
template <typename Op, typename T>
inline void reduce_part(device const T *x, device typename Op::State *states, const ReduceArguments a,
                        threadgroup typename Op::State *shared, const Thread t) {
  const typename Op::State s = reduce_row<Op>(x, a, shared, t);
  if (t.index == 0) states[t.group.y * t.groups.x + t.group.x] = s;
}

// Grid: 1 x rows. y[row].
template <typename Op, typename T>
inline void reduce_whole(device const T *x, device typename Op::Result *y, const ReduceArguments a,
                         threadgroup typename Op::State *shared, const Thread t) {
  const typename Op::State s = reduce_row<Op>(x, a, shared, t);
  if (t.index == 0) y[t.group.y] = Op::result(s, a);
}

// Grid: 1 x rows. y[row] from states[row, part].
template <typename Op>
inline void reduce_states(device const typename Op::State *states, device typename Op::Result *y,
                          const ReduceArguments a, threadgroup typename Op::State *shared, const Thread t) {
  typename Op::State s = Op::nothing();
  for (uint i = t.index; i < a.parts; i += t.size) s = Op::join(s, states[t.group.y * a.parts + i]);
  s = join_lanes<Op>(s, shared, t);
  if (t.index == 0) y[t.group.y] = Op::result(s, a);
}

// Grid: parts x rows. Like reduce_part for a sum, of the elements whose mask is not zero.
template <typename T>
inline void reduce_masked(device const T *x, device const uchar *mask, device float2 *states,
                          const ReduceArguments a, threadgroup float2 *shared, const Thread t) {
  float2 s = Sum::nothing();
  const ulong row = ulong(t.group.y) * a.columns;
  for (uint i = t.group.x * t.size + t.index; i < a.columns; i += t.groups.x * t.size)
    if (mask[row + i]) s = Sum::put(s, x[row + i], a);
  s = join_lanes<Sum>(s, shared, t);
  if (t.index == 0) states[t.group.y * t.groups.x + t.group.x] = s;
}

// Grid: parts x rows. The sum of squares around the row's mean, which comes as its sum with what was rounded away: a
// mean that is rounded to one float would be too coarse where it is large and the spread is small.
template <typename T>
inline void reduce_centred(device const T *x, device const float2 *sums, device float2 *states,
                           const ReduceArguments a, threadgroup float2 *shared, const Thread t) {
  const float2 sum = sums[t.group.y];
  const float count = float(a.columns);
  const float uncounted = float(int(a.columns - uint(count)));  // more than 24 bits do not fit a float
  const float centre = pair_value(sum) / count;
  // What is left of the mean: sum - centre * columns, over columns.
  const float rest = (fma(-centre, count, sum.x) + (sum.y - centre * uncounted)) / count;
  float2 s = Sum::nothing();
  const ulong row = ulong(t.group.y) * a.columns;
  for (uint i = t.group.x * t.size + t.index; i < a.columns; i += t.groups.x * t.size) {
    const float distance = (x[row + i] - centre) - rest;
    s = pair_add(s, two_product(distance, distance));
  }
  s = join_lanes<Sum>(s, shared, t);
  if (t.index == 0) states[t.group.y * t.groups.x + t.group.x] = s;
}
}  // namespace mybro
