// The hyper-analysis of a model like lic1 or lic2 (`onnx_models.recipes.lic1`), in float32:
//
//     y (M, h, w) in steps  ──▶  hyper-latents (Z, h/4, w/4), whole numbers of -127 to 127
//
// It is the second part of the graph latents.onnx, with sums in another order, the same one everywhere (vectors.hpp). Rows go through all
// layers while they are in the caches. Whole numbers of 16 bits, which analysis.hpp has, would be too coarse: they cost 14 % of the bytes
// at low qualities.
#pragma once

#include "real_layers.hpp"
#include "stretch.hpp"

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

  // Whether the processor has a multiply-add, and the compiler what vectors.hpp needs: else `run` must not be called.
  static bool fast();

  // Writes the rows of a stretch to the whole array; all its numbers are multiples of 4.
  void run(const float* y, const Stretch& stretch, float* hyper_latents) const;

  Sizes sizes;
  RealLayer enter;
  RealBlock block;
  RealLayer halve, leave;
};

}  // namespace lic
