// The networks of the means of a model like lic1 or lic2 (`onnx_models.recipes.lic1`), in float32 with products of whole numbers:
//
//     hyper-latents z (Z, h/4, w/4), level (h, w)  ──begin──▶  features (h, w, P)
//     features, y (M, h, w) as far as it is known  ──find───▶  means (passes M, h/2, w/2) of a stage
//                                                  ──draft──▶  means (passes M/4, h/2, w/2) of the first group of channels
//
// They are the graphs means_z, means_0 and so on, rounded as rounded_layers.hpp says: means are 0.01 of a step off at quality 10, and less
// below. Writers and readers find the same ones. Rows go through all layers while they are in the caches, and of y only what earlier passes
// have coded is looked at: of the four groups of channels one for each of them at every place. means_rows.hpp works on it, which kernels.hpp compiles
// for every kind of processor.
#pragma once

#include <vector>

#include "anchors.hpp"
#include "rounded_layers.hpp"
#include "stretch.hpp"

namespace lic {

class Means {
 public:
  static constexpr std::size_t kGroups = 4, kPasses = 4, kFirstSide = 3, kSide = 5;
  static constexpr std::size_t kDrafted = 2;  // groups that `draft` looks at

  // Z hyper-latents, P features, M latents: multiples of kOutputs, of kOutputs, and of kGroups * kOutputs; 1 to 4 stages.
  struct Sizes {
    std::size_t hyper_latents, features, latents, stages;

    std::size_t passes(std::size_t stage) const { return stage + 1 == stages ? kPasses - stage : 1; }
    std::size_t group() const { return latents / kGroups; }
    bool legal() const;
    std::size_t bytes() const;
  };

  // P of a file of numbers, 0 where it is too short.
  static std::size_t features_of(const std::uint8_t* numbers, std::size_t size);

  // Of a file of numbers: P, uint32; the first layer to 2x2 places and the second one to 2x2 of these, by place; what a level adds (9, P), float32; a
  // block. Then by stage, but in the first: the layer of features and latents; a block; for every pass of it and group of latents the
  // place in a cell of 2x2 that is coded, and its layer.
  Means(Numbers numbers, const Sizes& sizes);

  // A group of latents of a pass: the place in a cell of 2x2, 2 * row + column, and its layer.
  struct Leave {
    std::size_t place;
    RoundedLayer layer;
  };

  struct Stage {
    std::vector<RoundedLayer> context;  // of the features, and of each group of latents; none in the first stage
    RoundedBlock body;
    std::vector<Leave> leave;           // by pass and group
  };

  Sizes sizes;
  std::vector<RoundedLayer> first, second;  // by place
  std::vector<float> level;                 // by anchor
  RoundedBlock start;
  std::vector<Stage> stages;
  std::vector<std::size_t> known[kGroups];  // by place: the groups that are coded there, in the order of the passes
};

}  // namespace lic
