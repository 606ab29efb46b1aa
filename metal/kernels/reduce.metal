// sum, mean, min, max, l2, square_sum, abs_sum, threshold_count, masked_sum, variance, and the range for quantisation.
#include "mybro/reduce.h"

using namespace metal;

template <typename Op, typename T>
[[kernel]] void reduce_part(device const T *x [[buffer(0)]], device typename Op::State *states [[buffer(1)]],
                            constant mybro::ReduceArguments &a [[buffer(2)]], MYBRO_POSITION) {
  threadgroup typename Op::State shared[mybro::kMostSimds];
  mybro::reduce_part<Op, T>(x, states, a, shared, MYBRO_HERE);
}

template <typename Op, typename T>
[[kernel]] void reduce_whole(device const T *x [[buffer(0)]], device typename Op::Result *y [[buffer(1)]],
                             constant mybro::ReduceArguments &a [[buffer(2)]], MYBRO_POSITION) {
  threadgroup typename Op::State shared[mybro::kMostSimds];
  mybro::reduce_whole<Op, T>(x, y, a, shared, MYBRO_HERE);
}

template <typename Op>
[[kernel]] void reduce_states(device const typename Op::State *states [[buffer(0)]],
                              device typename Op::Result *y [[buffer(1)]],
                              constant mybro::ReduceArguments &a [[buffer(2)]], MYBRO_POSITION) {
  threadgroup typename Op::State shared[mybro::kMostSimds];
  mybro::reduce_states<Op>(states, y, a, shared, MYBRO_HERE);
}

template <typename T>
[[kernel]] void reduce_masked(device const T *x [[buffer(0)]], device const uchar *mask [[buffer(1)]],
                              device float2 *states [[buffer(2)]],
                              constant mybro::ReduceArguments &a [[buffer(3)]], MYBRO_POSITION) {
  threadgroup float2 shared[mybro::kMostSimds];
  mybro::reduce_masked<T>(x, mask, states, a, shared, MYBRO_HERE);
}

template <typename T>
[[kernel]] void reduce_centred(device const T *x [[buffer(0)]], device const float2 *sums [[buffer(1)]],
                               device float2 *states [[buffer(2)]],
                               constant mybro::ReduceArguments &a [[buffer(3)]], MYBRO_POSITION) {
  threadgroup float2 shared[mybro::kMostSimds];
  mybro::reduce_centred<T>(x, sums, states, a, shared, MYBRO_HERE);
}

#define REDUCE_ELEMENTS(name, op, suffix, type)                                                          \
  template [[host_name("part_" name "_" suffix)]] [[kernel]] decltype(reduce_part<mybro::op, type>)     \
      reduce_part<mybro::op, type>;                                                                      \
  template [[host_name("whole_" name "_" suffix)]] [[kernel]] decltype(reduce_whole<mybro::op, type>)   \
      reduce_whole<mybro::op, type>;
#define REDUCE_STATES(name, op)                                                                          \
  template [[host_name("states_" name)]] [[kernel]] decltype(reduce_states<mybro::op>) reduce_states<mybro::op>;
#define REDUCE(name, op)                    \
  REDUCE_ELEMENTS(name, op, "f32", float)   \
  REDUCE_ELEMENTS(name, op, "f16", half)    \
  REDUCE_STATES(name, op)
#define REDUCE_INTEGERS(name, op)           \
  REDUCE_ELEMENTS(name, op, "i32", int)     \
  REDUCE_STATES(name, op)

REDUCE("sum", Sum)
REDUCE_STATES("sum_pair", SumPair)
REDUCE("mean", Mean)
REDUCE("abs_sum", AbsSum)
REDUCE("square_sum", SquareSum)
REDUCE("l2", L2)
REDUCE("min", Min)
REDUCE("max", Max)
REDUCE("threshold_count", ThresholdCount)
REDUCE("range", Range)
REDUCE_INTEGERS("sum_int", SumInt)
REDUCE_INTEGERS("min_int", MinInt)
REDUCE_INTEGERS("max_int", MaxInt)
template [[host_name("part_masked_f32")]] [[kernel]] decltype(reduce_masked<float>) reduce_masked<float>;
template [[host_name("part_masked_f16")]] [[kernel]] decltype(reduce_masked<half>) reduce_masked<half>;
template [[host_name("part_centred_f32")]] [[kernel]] decltype(reduce_centred<float>) reduce_centred<float>;
template [[host_name("part_centred_f16")]] [[kernel]] decltype(reduce_centred<half>) reduce_centred<half>;
