// The networks of the means of a model like lic1 or lic2 (`onnx_models.recipes.lic1`), in float32:
//
//     hyper-latents z (Z, h/4, w/4), level (h, w)  ──begin──▶  features (h, w, P)
//     features, y (M, h, w) as far as it is known  ──find───▶  means (passes M, h/2, w/2) of a stage
//                                                  ──draft──▶  means (passes M/4, h/2, w/2) of the first group of channels
//
// They are the graphs means_z, means_0 and so on, with sums in another order, the same one everywhere (vectors.hpp). Rows go through all
// layers while they are in the caches, and of y only what earlier passes have coded is looked at: of the four groups of channels one for
// each of them at every place. Whole numbers of 16 bits, which synthesis.hpp has, would be too coarse: a mean of hundreds of steps moves
// the picture.
#pragma once

#include <vector>

#include "anchors.hpp"
#include "real_layers.hpp"

namespace lic {

class Means {
 public:
  static constexpr std::size_t kGroups = 4, kPasses = 4, kFirstSide = 3, kSide = 5;
  static constexpr std::size_t kDrafted = 2;  // groups that `draft` looks at

  // Z hyper-latents, P features, M latents: multiples of 8, of kOutputs, and of kGroups * kOutputs; 1 to 4 stages.
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

  // Whether the processor has a multiply-add, and the compiler what vectors.hpp needs: else an engine is quicker, and what is below must
  // not be called.
  static bool fast();

  // Writes all of `features`; height and width are multiples of 4.
  void begin(const float* hyper_latents, const float* level, std::size_t height, std::size_t width, float* features) const;

  // Writes rows first to last - 1, of height / 2, of `means`; height and width are even. y is not looked at in the first stage.
  void find(std::size_t stage, const float* features, const float* y, std::size_t height, std::size_t width, std::size_t first, std::size_t last,
            float* means) const;

  // As `find`, of the first group of latents alone, and of y only the first two are looked at: the graph draft_means. A pass codes one place
  // of every 2x2 of a group, so that all behind the depthwise layer runs at a quarter of the places.
  void draft(std::size_t stage, const float* features, const float* y, std::size_t height, std::size_t width, std::size_t first, std::size_t last,
             float* means) const;

  // A group of latents of a pass: the place in a cell of 2x2, 2 * row + column, and its layer.
  struct Leave {
    std::size_t place;
    RealLayer layer;
  };

  struct Stage {
    std::vector<RealLayer> context;   // by place, of the features and of the groups that are known there; none in the first stage
    RealBlock body;
    std::vector<Leave> leave;         // by pass and group
  };

  Sizes sizes;
  std::vector<RealLayer> first, second;  // by place
  std::vector<float> level;              // by anchor
  RealBlock start;
  std::vector<Stage> stages;
  std::vector<std::size_t> known[kGroups];  // by place: the groups that are coded there, in the order of the passes
};

}  // namespace lic
