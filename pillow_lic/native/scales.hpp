// The networks `scales_z` and `scales_0` to `scales_2` of a model like lic2, which find scale indexes (FORMAT.md, 8.3 and 9), in whole numbers:
//
//     hyper-latents (64, h/4, w/4)  ──▶  features (80, h, w)
//     features, level (h, w), magnitudes (384, h, w)  ──▶  index (384 passes, h/2, w/2)
//
// Of the magnitudes only those are looked at that earlier stages have coded: of the four groups of channels one for each at every place.
// The graphs hold whole numbers of 8 bits in float32, with sums below 2^24, so these are the same to the last bit. Rows go through all
// layers while they are in the caches (search.hpp, which kernels.hpp compiles for every kind of processor).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "anchors.hpp"
#include "depthwise.hpp"

namespace lic {

// Outputs of a layer at 2x2 places, as a layer for each of them.
std::vector<Layer> take_places(Numbers& numbers, std::size_t inputs, std::size_t outputs);

// The network of the hyper-latents: a layer of single places, a depthwise one, one to 2x2 places, and these two again.
class Hyper {
 public:
  static constexpr std::size_t kLatents = 64, kWidth = 64, kFeatures = 80;
  static constexpr std::size_t kBytes = Layer::bytes(kLatents, kWidth) + 2 * Depthwise<3>::bytes(kWidth) + 4 * Layer::bytes(kWidth, kWidth) +
                                        4 * Layer::bytes(kWidth, kFeatures);

  // Of a file of numbers: the layers in their order.
  explicit Hyper(Numbers& numbers);

  const Layer entry;
  const Depthwise<3> around;
  const std::vector<Layer> wider;  // by place
  const Depthwise<3> again;
  const std::vector<Layer> leave;  // by place
};

// The network of one stage.
class Stage {
 public:
  static constexpr std::size_t kFeatures = Hyper::kFeatures, kLatents = 384, kGroups = 4, kOfGroup = kLatents / kGroups;
  using Known = std::array<std::vector<std::size_t>, kGroups>;  // by place: the groups that are coded there
  static constexpr std::size_t kBefore = kFeatures + kAnchors + 1;  // inputs before the magnitudes: one more, 0, makes pairs of them

  static constexpr std::size_t inputs(bool magnitudes) { return kBefore + (magnitudes ? kLatents : 0); }
  static constexpr std::size_t bytes(bool magnitudes, std::size_t passes) {
    return Layer::bytes(inputs(magnitudes), kFeatures) + 2 * Depthwise<3>::bytes(kFeatures) + Layer::bytes(kFeatures, kFeatures) +
           passes * (kGroups * (4 + Layer::bytes(kFeatures, kOfGroup)) + 4 * kLatents * kAnchors);
  }

  // Of a file of numbers: the entry of features, anchors, 0 and perhaps magnitudes; a depthwise layer, one of single places, a depthwise
  // layer; for every quarter of the index the place in a cell of 2x2 that it is found at, then its layer; what it adds for the nearness of
  // an anchor (384 passes, 9), int32.
  Stage(Numbers& numbers, const Known& known, std::size_t passes);

  bool takes_magnitudes() const { return !known[0].empty(); }
  std::size_t passes() const { return ends.size() / kGroups; }

  // What is added to the index for a level, in 16ths, for all outputs in the order of `output_at`.
  std::vector<Sums> added(std::int32_t level) const;

  // The nearness of a level to each of the anchors, 0 to 128.
  static std::int32_t nearness(std::int32_t level, std::size_t anchor);

  const Known known;                // before it
  const std::vector<Layer> entry;   // by place, of the magnitudes that are known there
  const Depthwise<3> around;
  const Layer between;
  const Depthwise<3> again;
  std::vector<std::size_t> places;  // 2 * row + column, of every quarter
  std::vector<Layer> ends;          // by quarter
  std::vector<std::int32_t> by_anchor;
};

// Those of all stages: one pass each, and all that are left of the four in the last.
class Scales {
 public:
  static constexpr std::size_t kPasses = 4;

  static constexpr std::size_t passes_of(std::size_t stage, std::size_t stages) { return stage + 1 == stages ? kPasses - stage : 1; }
  static std::size_t bytes(std::size_t stages) {
    std::size_t n = Hyper::kBytes;
    for (std::size_t stage = 0; stage < stages; ++stage) n += Stage::bytes(stage > 0, passes_of(stage, stages));
    return n;
  }

  // Of a file of numbers: the network of the hyper-latents, then one stage after another, 1 to 4 of them. std::invalid_argument where a
  // stage codes a place twice.
  Scales(Numbers numbers, std::size_t count);

  Hyper hyper;
  std::vector<Stage> stages;
};

}  // namespace lic
