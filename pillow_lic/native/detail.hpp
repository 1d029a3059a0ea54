// The network `detail` of a model whose layers are 12 -> 16 -> 16 -> 12 (3x3, 3x3, 1x1, ReLU), and what follows it, in one go.
//
//     picture (12, h, w), context (16, h/4, w/4), level (h/8, w/8)  ──▶  colours (2h, 2w, 3) in sixteenths of a level
//
// It is the graph detail.onnx and filter.hpp's `spread` in whole numbers of 16 bits: colours differ by a sixteenth of a level here and
// there. Rows go through all layers while they are in the caches (detail_rows.hpp, which kernels.hpp compiles for every kind of processor).
// The graph stays what the format is defined by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "anchors.hpp"
#include "products.hpp"

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

// A layer that sees a window of places: weights by pair of inputs, those of its places one after another. Sums of an output are in
// units of 2^-bits, and no sum overflows.
struct Window {
  std::vector<PairWeights> weights;
  Sums bias, bits;
};

class Detail {
 public:
  static constexpr std::size_t kPlanes = 12, kHidden = 16;
  // Of the constructor: log of the error at every anchor; of the three layers weights (out, in, rows, columns) and then biases.
  static constexpr std::size_t kNumbers = kAnchors + kHidden * (9 * kPlanes + 1) + kHidden * (9 * kHidden + 1) + kPlanes * (kHidden + 1);
  // After the point: of what stands out of the means around it, in units of the expected error; of hidden features; of pixels.
  static constexpr int kFineBits = 11, kHiddenBits = 9, kPixelBits = 6;

  // Numbers of a cell go by row, column and colour; the channels of `picture` by colour, row and column.
  static constexpr std::size_t plane_of(std::size_t k) { return 4 * (k % 3) + k / 3; }

  explicit Detail(const float* numbers);

  // The error that is expected at a level, in levels of a pixel: the unit of the layers.
  float error(float level) const;

  const std::vector<float> errors;  // their logs, by anchor
  const Window enter, body, leave;  // outputs of the last: 6 numbers of the upper row of a cell, 2 of nothing; the same of the lower row
};

}  // namespace lic
