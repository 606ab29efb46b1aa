// exp, log, sigmoid, tanh, relu, abs, neg, add, sub, mul, div.
#include "mybro/map.h"

using namespace metal;

template <typename Op, typename T>
[[kernel]] void map_unary(device const T *x [[buffer(0)]], device T *y [[buffer(1)]],
                          constant mybro::MapArguments &a [[buffer(2)]], MYBRO_POSITION) {
  mybro::map_unary<Op, T>(x, y, a, MYBRO_HERE);
}

template <typename Op, typename T>
[[kernel]] void map_binary(device const T *x [[buffer(0)]], device const T *y [[buffer(1)]],
                           device T *z [[buffer(2)]], constant mybro::MapArguments &a [[buffer(3)]],
                           MYBRO_POSITION) {
  mybro::map_binary<Op, T>(x, y, z, a, MYBRO_HERE);
}

#define MAP_AS(function, name, op, suffix, type)                                                       \
  template [[host_name(name "_" suffix)]] [[kernel]] decltype(function<mybro::op, type>) function<mybro::op, type>;
#define MAP(function, name, op)                 \
  MAP_AS(function, name, op, "f32", float)      \
  MAP_AS(function, name, op, "f16", half)

MAP(map_unary, "exp", Exp)
MAP(map_unary, "log", Log)
MAP(map_unary, "sigmoid", Sigmoid)
MAP(map_unary, "tanh", Tanh)
MAP(map_unary, "relu", Relu)
MAP(map_unary, "abs", Abs)
MAP(map_unary, "neg", Neg)
MAP(map_binary, "add", Add)
MAP(map_binary, "sub", Sub)
MAP(map_binary, "mul", Mul)
MAP(map_binary, "div", Div)
