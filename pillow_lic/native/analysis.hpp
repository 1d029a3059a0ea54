// The networks of an encoder of a model like lic1 or lic2 (`onnx_models.recipes.lic1`), in whole numbers of 16 bits:
//
//     pixels (16h, 16w, 3)  ──Analysis──▶  trunk (2h, 2w, F), linear path (h, w, M)
//     trunk, linear path, level (h, w)  ──Latents──▶  y (M, h, w) in steps
//
// They are the graph analysis.onnx (or analysis_quick.onnx) and the first part of latents.onnx, and find latents some thousandths of a step
// beside theirs, the same ones on every processor. The second part is in hyper_analysis.hpp. Rows go through all layers while they are in
// the caches (analysis_rows.hpp, which kernels.hpp compiles for every kind of processor). Units are those of the file of numbers.
#pragma once

#include <vector>

#include "anchors.hpp"
#include "block.hpp"
#include "stretch.hpp"

namespace lic {

class Analysis {
 public:
  static constexpr std::size_t kSquare = 8, kColours = 3, kInputs = kSquare * kSquare * kColours;  // of a place of the trunk

  // Channels of the blocks, F and M: multiples of kOutputs.
  struct Sizes {
    std::size_t channels, blocks, features, latents;

    bool legal() const;
    std::size_t bytes() const;
  };

  // Of a file of numbers: the entry, whose inputs are (row, column, colour) of 8x8 pixels; blocks, bent below 0 to a tenth; a layer of F
  // outputs where there are not as many channels; the linear path (M, 768), whose inputs are those of the entry at 2x2 places, and whose
  // shifts are bits after the point. Inputs are 2 * pixel - 255.
  Analysis(Numbers numbers, const Sizes& sizes);

  // Rows of the trunk around one that decide it.
  std::size_t reach() const { return sizes.blocks * (Block::kSide / 2); }

  Sizes sizes;
  Layer enter;
  std::vector<Block> blocks;
  std::vector<Layer> leave;  // one or none
  Layer linear;
};

class Latents {
 public:
  static constexpr std::size_t kBlocks = 2;

  // F, channels of the blocks and M: multiples of kOutputs.
  struct Sizes {
    std::size_t features, channels, latents;

    bool legal() const;
    std::size_t bytes() const;
  };

  // What depends on the level of a latent; both in the order of `output_at`.
  struct Factors {
    std::vector<float> trunk, latents;
  };

  // Of a file of numbers: by anchor the log of the factor of every feature of the trunk and of every latent (float32); the layer of 2x2
  // places of the trunk, blocks, and the layer of the latents, whose shifts are bits after the point.
  Latents(Numbers numbers, const Sizes& sizes);

  // Of any level: what is no number is 0.
  Factors factors(float level) const;
  std::size_t reach() const { return kBlocks * (Block::kSide / 2); }

  Sizes sizes;
  std::vector<float> trunk, latents;  // by anchor
  Layer enter;
  std::vector<Block> blocks;
  Layer leave;
};

}  // namespace lic
