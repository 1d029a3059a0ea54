// Depthwise convolution of pictures laid out (n, h, w, c) in float32, c a multiple of 16, and its weight gradient, on one thread.
// Sixteen channels of four outputs, or of all k x k taps, stay in registers: both take one multiply-add for one load.
#include <cstdint>
#include <cstring>
#include <vector>

namespace {
constexpr int64_t kLanes = 16;
using Vector = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(alignof(float)), may_alias));

inline Vector load(const float* p) { return *reinterpret_cast<const Vector*>(p); }
inline void store(float* p, Vector v) { *reinterpret_cast<Vector*>(p) = v; }

// One picture with a border of k/2 zeros around it.
std::vector<float> padded(const float* in, int64_t h, int64_t w, int64_t c, int64_t k) {
  std::vector<float> out((h + k - 1) * (w + k - 1) * c);
  for (int64_t y = 0; y < h; ++y)
    std::memcpy(&out[((y + k / 2) * (w + k - 1) + k / 2) * c], in + y * w * c, w * c * sizeof(float));
  return out;
}

// `N` neighbours of a row at once; in: their first tap, in a picture `width` wide.
template <int K, int N>
inline void outputs(const float* in, const float* weight, const float* start, float* out, int64_t width, int64_t c) {
  for (int64_t lane = 0; lane < c; lane += kLanes) {
    Vector sums[N];
    for (int n = 0; n < N; ++n) sums[n] = start ? load(start + lane) : Vector{};
    for (int i = 0; i < K; ++i)
#pragma GCC unroll 5
      for (int j = 0; j < K; ++j) {
        const Vector tap = load(weight + (i * K + j) * c + lane);
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n) sums[n] += tap * load(in + (i * width + j + n) * c + lane);
      }
    for (int n = 0; n < N; ++n) store(out + n * c + lane, sums[n]);
  }
}

template <int K>
void convolve(const float* in, const float* weight, const float* start, float* out, int64_t h, int64_t w, int64_t c) {
  const std::vector<float> wide = padded(in, h, w, c, K);
  for (int64_t y = 0; y < h; ++y) {
    const float* row = &wide[y * (w + K - 1) * c];
    int64_t x = 0;
    for (; x + 4 <= w; x += 4) outputs<K, 4>(row + x * c, weight, start, out + (y * w + x) * c, w + K - 1, c);
    for (; x < w; ++x) outputs<K, 1>(row + x * c, weight, start, out + (y * w + x) * c, w + K - 1, c);
  }
}

template <int K>
void correlate(const float* in, const float* grad, float* taps, int64_t h, int64_t w, int64_t c) {
  const std::vector<float> wide = padded(in, h, w, c, K);
  for (int64_t lane = 0; lane < c; lane += kLanes) {
    Vector sums[K * K] = {};
    for (int64_t y = 0; y < h; ++y)
      for (int64_t x = 0; x < w; ++x) {
        const Vector g = load(grad + (y * w + x) * c + lane);
        const float* first = &wide[(y * (w + K - 1) + x) * c + lane];
#pragma GCC unroll 5
        for (int i = 0; i < K; ++i)
#pragma GCC unroll 5
          for (int j = 0; j < K; ++j) sums[i * K + j] += g * load(first + (i * (w + K - 1) + j) * c);
      }
    for (int t = 0; t < K * K; ++t) store(taps + t * c + lane, load(taps + t * c + lane) + sums[t]);
  }
}
}  // namespace

extern "C" {
// in (n,h,w,c), weight (k,k,c), start (c) or null -> out (n,h,w,c), zeros outside the picture; k 3 or 5.
void depthwise_convolve(const float* in, const float* weight, const float* start, float* out, int64_t n, int64_t h, int64_t w, int64_t c,
                        int64_t k) {
  for (int64_t b = 0; b < n; ++b)
    (k == 3 ? convolve<3> : convolve<5>)(in + b * h * w * c, weight, start, out + b * h * w * c, h, w, c);
}

// in and grad (n,h,w,c); adds the gradient of the weights to taps (k,k,c).
void depthwise_correlate(const float* in, const float* grad, float* taps, int64_t n, int64_t h, int64_t w, int64_t c, int64_t k) {
  for (int64_t b = 0; b < n; ++b) (k == 3 ? correlate<3> : correlate<5>)(in + b * h * w * c, grad + b * h * w * c, taps, h, w, c);
}
}
