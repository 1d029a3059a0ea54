// The network `synthesis` of a model whose trunk is a block of 128 channels at 1/16 and three of 64 at 1/8, all rectified, in whole numbers.
//
//     latents (384, h, w) in steps, level (h, w)  ──▶  picture (12, 8h, 8w), context (16, 2h, 2w)
//
// It is the graph synthesis.onnx, with features of 16 bits instead of float32, and without the latents that say next to nothing, some half of
// them at low levels, which its products need not look at: what `detail` makes of it differs by a level here and there. Rows of latents go through all layers while they are in the caches, so that a picture of any height takes the same time a pixel
// (course.hpp, which kernels.hpp compiles for every kind of processor). The graph stays what the format is defined by.
#pragma once

#include <vector>

#include "anchors.hpp"
#include "block.hpp"

namespace lic {

class Synthesis {
 public:
  static constexpr std::size_t kLatents = 384, kCoarse = 128, kFine = 64, kBlocks = 3, kPlanes = 12, kContext = 16;
  static constexpr std::size_t kSquare = 16;  // numbers of a plane for a place at 1/8: 4x4
  static constexpr int kPictureBits = 20;  // after the point, of the picture's sums

  // Of a file of numbers: by anchor the log of the factor of every latent, that of every fine channel, and what is added to the context
  // (float32); then layers, as `Layer` and `Block` have them: entry, coarse block, widening to 2x2 places (their channels together), fine
  // blocks, context; for the picture biases (192,), weights of the last features (192, 64) and of the latents of 2x2 places (4, 192, 384).
  static constexpr std::size_t kBytes = 4 * kAnchors * (kLatents + kFine + kContext) + Layer::bytes(kLatents, kCoarse) + Block::bytes(kCoarse) +
                                        Layer::bytes(kCoarse, 4 * kFine) + kBlocks * Block::bytes(kFine) + Layer::bytes(kFine, kContext) +
                                        kPlanes * kSquare * (4 + 2 * (kFine + 4 * kLatents));

  // What depends on the level of a latent; fine channels and context in the order of `output_at`.
  struct Factors {
    float level;
    Feature least;  // smaller latents are taken to be 0, as features
    std::vector<float> latents, fine, context;
  };

  // Of a level of 0 to 1024.
  Factors factors(float level) const;

  explicit Synthesis(Numbers numbers);

  const std::vector<float> latents, fine, context;  // by anchor
  const Layer entry;
  const Block coarse;
  const Layer wider;
  const std::vector<Block> blocks;
  const Layer to_context;
  const std::vector<Sums> bias;             // by plane
  const std::vector<PairWeights> last, straight;  // by plane and pair of features; by one of 2x2 places, plane and pair of latents
};

}  // namespace lic
