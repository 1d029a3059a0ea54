// The gradient of a picture's squared error by its latents, of a model like lic1 or lic2 (`onnx_models.recipes.lic1`), in whole numbers:
//
//     pixels shown and wanted (H, W, 3), level (h, w)  ──▶  gradient (M, h, w), in bits for a step
//
// It is that of the linear path of the synthesis, for an error that is smoothed a little: a part of what stands out of its mean around a
// pixel is left out, as the layers after that path would leave it out on average. Of what they do beyond that a step gains nothing.
// Outside the picture nothing is lost.
#pragma once

#include <vector>

#include "anchors.hpp"
#include "products.hpp"
#include "stretch.hpp"

namespace lic {

class ErrorGradient {
 public:
  static constexpr std::size_t kSquare = 16, kColours = 3, kRow = kSquare * kColours, kInputs = kSquare * kRow;  // of a latent
  static constexpr std::size_t kReach = 3, kAround = (2 * kReach + 1) * (2 * kReach + 1);  // pixels of the mean
  static constexpr int kErrorBits = 4;  // after the point, of an error in levels

  // M: a multiple of kOutputs.
  struct Sizes {
    std::size_t latents;

    bool legal() const;
    std::size_t bytes() const;
  };

  // Of a file of numbers: by anchor the part that is left out of what stands out, below 1/2, and the log of the factor of every latent
  // (float32); the layer, inputs by row, column and colour. No sum may overflow.
  ErrorGradient(Numbers numbers, const Sizes& sizes);

  // What depends on the level of a latent: the part, of 2^16, and factors in the order of `output_at`.
  struct Factors {
    Feature part;
    std::vector<float> latents;
  };

  Factors factors(float level) const;

  Sizes sizes;
  std::vector<float> parts, latents;  // by anchor
  Layer layer;
};

}  // namespace lic
