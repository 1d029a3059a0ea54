// What works on layers in whole numbers, compiled for each instruction set: the same numbers from all of them, to the last bit.
#pragma once

#include <string>
#include <vector>

#include "analysis.hpp"
#include "detail.hpp"
#include "draft.hpp"
#include "filter_places.hpp"
#include "gradient.hpp"
#include "hyper_analysis.hpp"
#include "means.hpp"
#include "scales.hpp"
#include "synthesis.hpp"

namespace lic {

struct Kernels {
  const char* name;  // of the instruction set

  // Writes all of `picture` and `context`, whose levels are `height` rows of `width`, both at least 1.
  void (*draw)(const Synthesis&, const float* latents, const float* level, std::size_t height, std::size_t width, float* picture,
               float* context);

  // Writes all of `features` (80, 4 height, 4 width) of hyper-latents (64, height, width), whole numbers, both at least 1.
  void (*ascend)(const Hyper&, const float* latents, std::size_t height, std::size_t width, float* features);

  // Writes rows first to last - 1, of height / 2, of `index`; height and width are even. Levels are whole numbers; of the first stage no magnitudes.
  void (*find)(const Stage&, const float* features, const float* level, const std::uint8_t* magnitudes, std::size_t height, std::size_t width,
               std::size_t first, std::size_t last, std::uint8_t* index);

  // Writes all of `features`; height and width, of levels, are multiples of 4.
  void (*begin_means)(const Means&, const float* hyper_latents, const float* level, std::size_t height, std::size_t width, float* features);

  // Writes the rows of a stretch of cells of 2x2 places, of which there are `height` x `width`, both even, to the whole array of a stage. y is not
  // looked at in the first one.
  void (*find_means)(const Means&, std::size_t stage, const float* features, const float* y, const Stretch&, float* means);

  // As `find_means`, of the first group of latents alone, and of y only the first two are looked at: the graph draft_means. A pass codes one
  // place of every 2x2 of a group, so that all behind the depthwise layer runs at a quarter of the places.
  void (*draft_means)(const Means&, std::size_t stage, const float* features, const float* y, const Stretch&, float* means);

  // Writes the pixels of `inside` to `out`, whose rows are `stride` numbers apart.
  void (*refine)(const Detail&, const Seen& seen, const Cells& inside, std::uint16_t* out, std::size_t stride);

  // Writes what `refine` writes of the picture that `draw` draws of height x width latents, and makes no more of that than it takes.
  void (*paint)(const Synthesis&, const Detail&, const float* latents, const float* level, std::size_t height, std::size_t width, const Cells& inside,
                std::uint16_t* out, std::size_t stride);

  // Write the rows of a stretch, of latents, to whole arrays (analysis.hpp); its width is at least 1. The trunk's features and the linear
  // path lie place by place, the latter's numbers in the order of `output_at`.
  void (*analyse)(const Analysis&, const std::uint8_t* pixels, const Stretch&, Feature* trunk, float* linear);
  void (*find_latents)(const Latents&, const Feature* trunk, const float* linear, const float* level, const Stretch&, float* y);

  // Writes the rows of a stretch to the whole array (hyper_analysis.hpp); all its numbers are multiples of 4.
  void (*descend)(const HyperAnalysis&, const float* y, const Stretch&, float* hyper_latents);

  // Writes the pixels of the rows of a stretch, of latents, to the whole array (draft.hpp); its width is at least 1.
  void (*draft)(const Draft&, const float* latents, const float* level, const Stretch&, std::uint8_t* pixels);

  // Writes the rows of a stretch, of latents, to the whole gradient; pixels (height, width, 3) are 16 rows and columns a latent, or fewer at the
  // end, both at least 1.
  void (*find_gradient)(const ErrorGradient&, const std::uint8_t* shown, const std::uint8_t* wanted, std::size_t height, std::size_t width,
                        const float* level, const Stretch&, float* gradient);

  // Writes a row of n pixels (n, 3); what is read ends up to kRun - 1 places behind its last one.
  void (*filter_row)(const RowPlaces&, std::size_t n, std::uint8_t* out);
};

// Those that this processor can run, the quickest first; plain C++ last.
const std::vector<const Kernels*>& all_kernels();

// Whether the quickest ones are quicker than an engine: plain C++ is not.
bool fast_kernels();

// The quickest ones, or those that `use_kernels` has named.
const Kernels& kernels();

// Takes those of a name from now on; whether there are such.
bool use_kernels(const std::string& name);

}  // namespace lic
