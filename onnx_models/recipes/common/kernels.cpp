// Loops that training on a CPU needs quicker than torch has them. On one thread, in float32; pictures and rows may be in bfloat16.
//
// - Depthwise convolution of pictures laid out (n, h, w, c), c a multiple of 16, and its weight gradient. Sixteen channels of four
//   outputs, or of all k x k taps, stay in registers: both take one multiply-add for one load.
// - What a block does to rows of c values between two matrix products.
// - The window of structural similarity over planes (n, h, w).
#include <algorithm>
#include <cstdint>
#include <vector>

namespace {
constexpr int64_t kLanes = 16;
using Vector = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(alignof(float)), may_alias));

using Bits = uint32_t __attribute__((vector_size(kLanes * sizeof(uint32_t))));
using Halves = uint16_t __attribute__((vector_size(kLanes * sizeof(uint16_t)), aligned(alignof(uint16_t)), may_alias));
using Half = uint16_t;  // bfloat16: the upper half of a float

inline Vector load(const float* p) { return *reinterpret_cast<const Vector*>(p); }
inline void store(float* p, Vector v) { *reinterpret_cast<Vector*>(p) = v; }
inline Vector load(const Half* p) {
  return reinterpret_cast<Vector>(__builtin_convertvector(*reinterpret_cast<const Halves*>(p), Bits) << 16);
}
inline void store(Half* p, Vector v) {  // to the nearest, halves to even
  const Bits bits = reinterpret_cast<Bits>(v);
  *reinterpret_cast<Halves*>(p) = __builtin_convertvector((bits + 0x7fff + ((bits >> 16) & 1)) >> 16, Halves);
}

// One picture with a border of k/2 zeros around it.
template <typename T>
std::vector<float> padded(const T* in, int64_t h, int64_t w, int64_t c, int64_t k) {
  std::vector<float> out((h + k - 1) * (w + k - 1) * c);
  for (int64_t y = 0; y < h; ++y) {
    float* row = &out[((y + k / 2) * (w + k - 1) + k / 2) * c];
    for (int64_t i = 0; i < w * c; i += kLanes) store(row + i, load(in + y * w * c + i));
  }
  return out;
}

// `N` neighbours of a row at once; in: their first tap, in a picture `width` wide.
template <int K, int N, typename T>
inline void outputs(const float* in, const float* weight, const float* start, T* out, int64_t width, int64_t c) {
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

template <int K, typename T>
void convolve(const T* in, const float* weight, const float* start, T* out, int64_t h, int64_t w, int64_t c) {
  const std::vector<float> wide = padded(in, h, w, c, K);
  for (int64_t y = 0; y < h; ++y) {
    const float* row = &wide[y * (w + K - 1) * c];
    int64_t x = 0;
    for (; x + 4 <= w; x += 4) outputs<K, 4>(row + x * c, weight, start, out + (y * w + x) * c, w + K - 1, c);
    for (; x < w; ++x) outputs<K, 1>(row + x * c, weight, start, out + (y * w + x) * c, w + K - 1, c);
  }
}

template <int K, typename T>
void correlate(const T* in, const T* grad, float* taps, int64_t h, int64_t w, int64_t c) {
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

// LeakyReLU of rows + bias, in their place.
template <typename T>
void activate(T* rows, const float* bias, int64_t n, int64_t c, float slope) {
  for (int64_t row = 0; row < n; ++row)
    for (int64_t lane = 0; lane < c; lane += kLanes) {
      const Vector v = load(rows + row * c + lane) + load(bias + lane);
      store(rows + row * c + lane, v > 0 ? v : v * slope);
    }
}

// The gradient before a LeakyReLU in the place of the one after it; adds its sum over rows to sums (c).
template <typename T>
void back(T* grad, const T* activated, float* sums, int64_t n, int64_t c, float slope) {
  for (int64_t row = 0; row < n; ++row)
    for (int64_t lane = 0; lane < c; lane += kLanes) {
      const Vector g = load(grad + row * c + lane), v = load(activated + row * c + lane) > 0 ? g : g * slope;
      store(grad + row * c + lane, v);
      store(sums + lane, load(sums + lane) + v);
    }
}

// LeakyReLU of pictures (n,h,w,c) + context (n,h/k,w/k,c), every value of it for a cell of k x k, in their place; context may be null.
template <typename T>
void cells(T* pictures, const T* context, int64_t n, int64_t h, int64_t w, int64_t c, int64_t k, float slope) {
  for (int64_t y = 0; y < n * h; ++y)
    for (int64_t x = 0; x < w; ++x)
      for (int64_t lane = 0; lane < c; lane += kLanes) {
        T* at = pictures + (y * w + x) * c + lane;
        const Vector v = load(at) + (context ? load(context + (y / k * (w / k) + x / k) * c + lane) : Vector{});
        store(at, v > 0 ? v : v * slope);
      }
}

// The gradient after that -> the one before it, and that of the context unless it is null.
template <typename T>
void cells_back(const T* grad, const T* activated, T* before, T* to_context, int64_t n, int64_t h, int64_t w, int64_t c, int64_t k, float slope) {
  for (int64_t cell = 0; cell < n * (h / k) * (w / k); ++cell)
    for (int64_t lane = 0; lane < c; lane += kLanes) {
      const int64_t corner = (cell / (w / k) * k * w + cell % (w / k) * k) * c + lane;
      Vector sum{};
      for (int64_t y = 0; y < k; ++y)
        for (int64_t x = 0; x < k; ++x) {
          const int64_t at = corner + (y * w + x) * c;
          const Vector g = load(grad + at), v = load(activated + at) > 0 ? g : g * slope;
          sum += v;
          store(before + at, v);
        }
      if (to_context) store(to_context + cell * c + lane, sum);
    }
}

// Adds to out (columns) the row weighed by a symmetric window of so many taps.
inline void along(const float* row, const float* weight, float* out, int64_t columns, int64_t taps) {
  for (int64_t t = 0; t < taps; ++t)
    for (int64_t x = 0; x < columns; ++x) out[x] += weight[t] * row[x + t];
}
}  // namespace

// Pictures in (n,h,w,c), weight (k,k,c), start (c) or null -> out (n,h,w,c), zeros outside the picture; k 3 or 5.
// correlate: in and grad (n,h,w,c); adds the gradient of the weights to taps (k,k,c).
#define FOR_TYPE(T, suffix)                                                                                                            \
  void depthwise_convolve_##suffix(const T* in, const float* weight, const float* start, T* out, int64_t n, int64_t h, int64_t w,      \
                                   int64_t c, int64_t k) {                                                                             \
    for (int64_t b = 0; b < n; ++b)                                                                                                    \
      (k == 3 ? convolve<3, T> : convolve<5, T>)(in + b * h * w * c, weight, start, out + b * h * w * c, h, w, c);                     \
  }                                                                                                                                    \
  void depthwise_correlate_##suffix(const T* in, const T* grad, float* taps, int64_t n, int64_t h, int64_t w, int64_t c, int64_t k) {  \
    for (int64_t b = 0; b < n; ++b)                                                                                                    \
      (k == 3 ? correlate<3, T> : correlate<5, T>)(in + b * h * w * c, grad + b * h * w * c, taps, h, w, c);                           \
  }                                                                                                                                    \
  void rows_activate_##suffix(T* rows, const float* bias, int64_t n, int64_t c, float slope) { activate(rows, bias, n, c, slope); }    \
  void rows_back_##suffix(T* grad, const T* activated, float* sums, int64_t n, int64_t c, float slope) {                               \
    back(grad, activated, sums, n, c, slope);                                                                                          \
  }                                                                                                                                    \
  void cells_activate_##suffix(T* pictures, const T* context, int64_t n, int64_t h, int64_t w, int64_t c, int64_t k, float slope) {    \
    cells(pictures, context, n, h, w, c, k, slope);                                                                                    \
  }                                                                                                                                    \
  void cells_back_##suffix(const T* grad, const T* activated, T* before, T* to_context, int64_t n, int64_t h, int64_t w, int64_t c,    \
                           int64_t k, float slope) {                                                                                   \
    cells_back(grad, activated, before, to_context, n, h, w, c, k, slope);                                                             \
  }

extern "C" {
FOR_TYPE(float, float32)
FOR_TYPE(Half, bfloat16)

// Planes shown and original (n,h,w), weight (taps) -> similarity (n,h-taps+1,w-taps+1) and, by its side, its derivatives by the mean
// of shown, the mean of shown^2 and the mean of shown * original, (3,n,h-taps+1,w-taps+1). c1 < 0: without luminance.
void similarity_ahead_float32(const float* shown, const float* original, const float* weight, float* similarity, float* slopes, int64_t n,
                              int64_t h, int64_t w, int64_t taps, float c1, float c2) {
  const int64_t rows = h - taps + 1, columns = w - taps + 1, count = n * rows * columns;
  std::vector<float> down(5 * w), around(5 * columns);
  for (int64_t y = 0; y < n * rows; ++y) {
    const int64_t first = (y / rows * h + y % rows) * w;
    std::fill(down.begin(), down.end(), 0.0f);
    for (int64_t t = 0; t < taps; ++t)
      for (int64_t x = 0; x < w; ++x) {
        const float a = shown[first + t * w + x], b = original[first + t * w + x], wa = weight[t] * a, wb = weight[t] * b;
        down[x] += wa, down[w + x] += wb, down[2 * w + x] += wa * a, down[3 * w + x] += wb * b, down[4 * w + x] += wa * b;
      }
    std::fill(around.begin(), around.end(), 0.0f);
    for (int64_t m = 0; m < 5; ++m) along(&down[m * w], weight, &around[m * columns], columns, taps);
    float *s = similarity + y * columns, *by_a = slopes + y * columns, *by_aa = by_a + count, *by_ab = by_aa + count;
    for (int64_t x = 0; x < columns; ++x) {
      const float a = around[x], b = around[columns + x];
      const float above = 2 * (around[4 * columns + x] - a * b) + c2;
      const float below = 1 / (around[2 * columns + x] - a * a + around[3 * columns + x] - b * b + c2);
      const float structure = above * below;
      const float light = c1 < 0 ? 1 : 1 / (a * a + b * b + c1), luminance = c1 < 0 ? 1 : (2 * a * b + c1) * light;
      s[x] = structure * luminance;
      by_aa[x] = -structure * below * luminance;
      by_ab[x] = 2 * below * luminance;
      by_a[x] = -2 * a * by_aa[x] - b * by_ab[x] + (c1 < 0 ? 0 : 2 * structure * light * (b - a * luminance));
    }
  }
}

// The gradient of similarity_ahead's result -> that of shown (n,h,w).
void similarity_behind_float32(const float* shown, const float* original, const float* weight, const float* grad, const float* slopes,
                               float* to_shown, int64_t n, int64_t h, int64_t w, int64_t taps) {
  const int64_t rows = h - taps + 1, columns = w - taps + 1, count = n * rows * columns, wide = w + taps - 1;
  std::vector<float> down(3 * wide), around(3 * w);
  for (int64_t y = 0; y < n * h; ++y) {
    const int64_t plane = y / h * rows, row = y % h;
    std::fill(down.begin(), down.end(), 0.0f);
    for (int64_t t = std::max<int64_t>(0, row - rows + 1); t < std::min(taps, row + 1); ++t) {
      const int64_t at = (plane + row - t) * columns;
      for (int64_t m = 0; m < 3; ++m)
        for (int64_t x = 0; x < columns; ++x)
          down[m * wide + taps - 1 + x] += weight[t] * grad[at + x] * slopes[m * count + at + x];
    }
    std::fill(around.begin(), around.end(), 0.0f);
    for (int64_t m = 0; m < 3; ++m) along(&down[m * wide], weight, &around[m * w], w, taps);
    for (int64_t x = 0; x < w; ++x)
      to_shown[y * w + x] = around[x] + 2 * shown[y * w + x] * around[w + x] + original[y * w + x] * around[2 * w + x];
  }
}
}
