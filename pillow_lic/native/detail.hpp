// The network `detail` of a model whose layers are 12 -> 16 -> 16 -> 12 (3x3, 3x3, 1x1, ReLU), and what follows it, in one go.
//
//     picture (12, h, w), context (16, h/4, w/4), level (h/8, w/8)  ──▶  colours (2h, 2w, 3) in sixteenths of a level
//
// It is the graph detail.onnx and filter.hpp's `spread`: the same layers in another order of sums. An engine that runs the layers one
// after another writes every feature map to memory and converts it between layouts; here rows go through all of them while they are in
// the caches. Readers use it where `Detail::fast` says so; the graph stays what the format is defined by.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lic {

// Cells of 2x2 pixels, multiples of 8: a latent is 8x8 cells.
struct Cells {
  std::size_t top, left, height, width;
};

// What the layers see: whole arrays of so many cells.
struct Seen {
  const float *picture, *context, *level;
  std::size_t height, width;
};

class Detail {
 public:
  static constexpr std::size_t kPlanes = 12, kHidden = 16, kAnchors = 9;
  // Of the constructor: log of the error at every anchor; of the three layers weights (out, in, rows, columns) and then biases.
  static constexpr std::size_t kNumbers = kAnchors + kHidden * (9 * kPlanes + 1) + kHidden * (9 * kHidden + 1) + kPlanes * (kHidden + 1);

  explicit Detail(const float* numbers);

  // Whether compiler and processor are such that it is quicker than an engine.
  static bool fast();

  // Writes the pixels of `inside` to `out`, whose rows are `stride` numbers apart.
  void draw(const Seen& seen, const Cells& inside, std::uint16_t* out, std::size_t stride) const;

  // The error that is expected at a level, in levels of a pixel: the unit of the layers.
  float error(float level) const;

  // A kernel of 3x3 along its rows as six products (Winograd's F(4, 3)): by frequency, row, what goes in, what comes out.
  template <std::size_t inputs>
  struct Kernel {
    alignas(32) float weights[6][3][inputs][kHidden];
    alignas(32) float bias[kHidden];
  };

 private:
  float errors_[kAnchors];
  Kernel<kPlanes> enter_;
  Kernel<kHidden> body_;
  alignas(32) float leave_[kHidden][kHidden], leave_bias_[kHidden];
};

}  // namespace lic
