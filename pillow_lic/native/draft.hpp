// A head of drafts of a model like lic1 or lic2 (`onnx_models.recipes.lic1.draft`), in whole numbers of 16 bits:
//
//     latents y (M, h, w) in steps, level (h, w)  ──▶  pixels (side h, side w, 3), of 16 / side x 16 / side pixels each
//
// It is a graph draft_2, draft_4 or draft_8: one layer of the latents of a place and of the first channels of its eight neighbours. draft_rows.hpp works on
// it, which kernels.hpp compiles for every kind of processor.
#pragma once

#include <vector>

#include "anchors.hpp"
#include "products.hpp"
#include "stretch.hpp"

namespace lic {

class Draft {
 public:
  static constexpr std::size_t kNeighbours = 8, kColours = 3;

  // M, the channels of neighbours (even, no more than M), and pixels of a latent each way (1 to 16).
  struct Sizes {
    std::size_t latents, near, side;

    std::size_t numbers() const { return kColours * side * side; }
    std::size_t outputs() const { return (numbers() + kOutputs - 1) / kOutputs * kOutputs; }
    std::size_t inputs() const { return latents + kNeighbours * near; }
    bool legal() const;
    std::size_t bytes() const { return 4 * kAnchors * latents + Layer::bytes(inputs(), outputs()); }
  };

  // Of a file of numbers: by anchor the log of the factor of every latent (float32); the layer, whose inputs are the latents of a place and
  // then, by row and column, the first channels of the eight around it, and whose outputs are by row, column and colour, then any.
  Draft(Numbers numbers, const Sizes& sizes);

  // What latents of a level are multiplied by, of any level: what is no number is 0.
  std::vector<float> factors(float level) const;

  Sizes sizes;
  std::vector<float> logs;  // by anchor
  Layer layer;
};

}  // namespace lic
