// Every line that says so is C++ that MSL does not have, or that the emulator would run and Metal not.
#include <metal_stdlib>

using namespace metal;

inline float no_space(float *p) { return *p; }             // wrong
inline float no_space_either(const float &p) { return p; }  // wrong
inline double wide(float x) { return x; }                  // wrong

kernel void c_plus_plus(device float *y [[buffer(0)]],
                        uint i) {  // wrong
  y[i] = std::exp(1.0f);           // wrong
  auto twice = [](float x) { return 2.0f * x; };  // wrong
  float *made = new float[3];      // wrong
  try {                            // wrong
    y[i] = twice(made[0]);
  } catch (int) {
  }
  if (i) goto end;                 // wrong
end:
  threadgroup float shared[2] = {1.0f, 2.0f};  // wrong
  y[i] = shared[0];
}

inline void helper(device float *y) {
  threadgroup float outside[4];    // wrong
  y[0] = outside[0];
}

inline int deep(int n) { return n ? deep(n - 1) : 0; }  // wrong

kernel void more(device float *y [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  static float kept = 0.0f;        // wrong
  float (*function)(float) = nullptr;  // wrong
  y[i] = kept + (function ? 1.0f : 0.0f);
  device uint *cast = (device uint *)y;  // wrong
  y[i] += float(cast[0]);
  asm("nop");                      // wrong
}
