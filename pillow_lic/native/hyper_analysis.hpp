// The hyper-analysis of a model like lic1 or lic2 (`onnx_models.recipes.lic1`), in float32 with products of whole numbers:
//
//     y (M, h, w) in steps  ──▶  hyper-latents (Z, h/4, w/4), whole numbers of -127 to 127
//
// It is the second part of the graph latents.onnx, rounded as rounded_layers.hpp says: features of one unit for all places, which analysis.hpp
// has, would cost 14 % of the bytes at low qualities. Rows go through all layers while they are in the caches. hyper_analysis_rows.hpp works on
// it, which kernels.hpp compiles for every kind of processor.
#pragma once

#include "rounded_layers.hpp"

namespace lic {

class HyperAnalysis {
 public:
  static constexpr std::size_t kStride = 4, kSide = 3;

  // M, channels of the block and Z: multiples of kOutputs.
  struct Sizes {
    std::size_t latents, channels, hyper_latents;

    bool legal() const;
    std::size_t bytes() const;
  };

  // Of a file of numbers: the entry, a block, the layer of 2x2 places, which is bent, and that of 2x2 of these; inputs of squares by row,
  // column and channel.
  HyperAnalysis(Numbers numbers, const Sizes& sizes);

  Sizes sizes;
  RoundedLayer enter;
  RoundedBlock block;
  RoundedLayer halve, leave;
};

}  // namespace lic
