// What the search for glyphs does pixel by pixel (pillow_lic/exact): inks of any ground, and blends of inks with the grounds of blocks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "pixelwise.hpp"

namespace lic {

// Of every pixel the colours of at most 32 kinds that lie on it or beside it, aslant too, as bits.
inline std::vector<std::uint32_t> kinds_beside(std::size_t height, std::size_t width, const std::uint32_t* own) {
  std::vector<std::uint32_t> across(height * width), result(height * width);
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t at = y * width + x;
      across[at] = own[at] | (x ? own[at - 1] : 0) | (x + 1 < width ? own[at + 1] : 0);
    }
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t at = y * width + x;
      result[at] = across[at] | (y ? across[at - width] : 0) | (y + 1 < height ? across[at + width] : 0);
    }
  return result;
}

// Of every kind: pixels beside it that have another colour, and how many of them are within `near` levels and within `far`.
struct Beside {
  std::int64_t all = 0, near = 0, far = 0;
};

// kinds (number, channels), at most 32; within: which pixels may be of one. own: of every pixel its kind, as a bit, 0 for none.
inline std::vector<Beside> beside_kinds(const Tile& tile, const std::uint8_t* colors, const std::uint8_t* within, const std::uint8_t* kinds,
                                        std::size_t number, std::uint8_t near, std::uint8_t far, std::uint32_t* own) {
  const std::size_t count = tile.height * tile.width, channels = tile.channels;
  const auto kind_of = [&](std::size_t pixel) {
    for (std::size_t kind = 0; kind < number; ++kind)
      if (std::equal(kinds + kind * channels, kinds + (kind + 1) * channels, colors + pixel * channels)) return kind;
    return number;
  };
  for (std::size_t pixel = 0; pixel < count; ++pixel) {
    const std::size_t kind = within[pixel] ? kind_of(pixel) : number;
    own[pixel] = kind < number ? std::uint32_t{1} << kind : 0;
  }
  std::vector<Beside> result(number);
  const std::vector<std::uint32_t> around = kinds_beside(tile.height, tile.width, own);
  for (std::size_t pixel = 0; pixel < count; ++pixel)
    for (std::size_t kind = 0; kind < number && around[pixel] >> kind; ++kind) {
      if (!(around[pixel] >> kind & 1)) continue;
      const std::uint8_t distance = apart(colors + pixel * channels, kinds + kind * channels, channels);
      if (!distance) continue;
      ++result[kind].all;
      result[kind].near += distance <= near;
      result[kind].far += distance <= far;
    }
  return result;
}

constexpr std::size_t kBlockPixels = kDrawnBlock * kDrawnBlock;

// Blends of inks (number, channels) with the grounds of blocks of 256 pixels. tolerance: levels by which a blend may miss a pixel in any
// channel. explained: the part of a block's contrast that inks must explain. seen: one of so many pixels tells a block's ink.
class Blends {
 public:
  struct Block {
    const float *pixels, *ground, *contrasts;  // (256, channels), (256, channels), (256)
    const std::uint8_t* foreground;                 // which pixels are no ground
    std::uint8_t *ink, *cover;                 // (256, channels), (256): what is found, 0 for nothing
  };
  struct Found {
    bool is_explained;
    std::size_t core;  // pixels that are all ink
  };

  Blends(const float* inks, std::size_t number, std::size_t channels, float tolerance, float explained, std::size_t seen)
      : inks_(inks), number_(number), channels_(channels), tolerance_(tolerance), left_out_(1 - explained), seen_(seen) {}

  // A block has the ink that explains most of its contrast, and up to `most` - 1 more for what that leaves.
  Found explain(const Block& block, std::size_t most) {
    std::fill_n(block.ink, kBlockPixels * channels_, std::uint8_t{0});
    std::fill_n(block.cover, kBlockPixels, std::uint8_t{0});
    std::copy_n(block.contrasts, kBlockPixels, left_);
    float whole = 0;
    for (std::size_t pixel = 0; pixel < kBlockPixels; ++pixel) whole += left_[pixel];
    for (std::size_t round = 0; round < most && sum_left(block) > left_out_ * whole / 2; ++round) {
      const std::size_t ink = best(block);
      if (ink == number_) break;
      lay(block, inks_ + ink * channels_);
    }
    const bool is_explained = sum_left(block) <= left_out_ * whole;
    if (!is_explained) std::fill_n(block.cover, kBlockPixels, std::uint8_t{0});
    std::size_t core = 0;
    for (std::size_t pixel = 0; pixel < kBlockPixels; ++pixel) {
      bool is_ink = block.cover[pixel] == 255;
      for (std::size_t c = 0; c < channels_; ++c) {
        std::uint8_t& level = block.ink[pixel * channels_ + c];
        if (!block.cover[pixel]) level = 0;
        is_ink &= block.pixels[pixel * channels_ + c] == static_cast<float>(level);
      }
      core += is_ink;
    }
    return {is_explained, core};
  }

 private:
  double sum_left(const Block& block) const {
    double total = 0;
    for (std::size_t pixel = 0; pixel < kBlockPixels; ++pixel)
      if (block.foreground[pixel]) total += left_[pixel];
    return total;
  }

  // How much an ink covers a pixel, 0 to 1; less than 0 where no blend of it explains the pixel.
  float share(const float* pixel, const float* ground, const float* ink) const {
    float along = 0, length = 0;
    for (std::size_t c = 0; c < channels_; ++c) {
      const float full = ink[c] - ground[c];
      along += (pixel[c] - ground[c]) * full;
      length += full * full;
    }
    const float part = std::min(std::max(along / std::max(length, 1.0f), 0.0f), 1.0f);
    for (std::size_t c = 0; c < channels_; ++c)
      if (std::abs(pixel[c] - ground[c] - part * (ink[c] - ground[c])) > tolerance_) return -1;
    return part;
  }

  // The ink that explains most of what is left, by some of the pixels; the number of inks for none.
  std::size_t best(const Block& block) {
    std::size_t count = 0, found = number_;
    std::size_t seen[kBlockPixels];
    for (std::size_t pixel = 0; pixel < kBlockPixels; ++pixel)
      if (block.foreground[pixel] && left_[pixel] > 0 && phase_++ % seen_ == 0) seen[count++] = pixel;
    double most = 0;
    for (std::size_t ink = 0; ink < number_; ++ink) {
      double gained = 0;
      for (std::size_t i = 0; i < count; ++i)
        if (share(block.pixels + seen[i] * channels_, block.ground + seen[i] * channels_, inks_ + ink * channels_) >= 0) gained += left_[seen[i]];
      if (gained > most) most = gained, found = ink;
    }
    return found;
  }

  void lay(const Block& block, const float* ink) {
    for (std::size_t pixel = 0; pixel < kBlockPixels; ++pixel) {
      if (!block.foreground[pixel] || left_[pixel] <= 0) continue;
      const float part = share(block.pixels + pixel * channels_, block.ground + pixel * channels_, ink);
      const auto cover = static_cast<std::uint8_t>(std::lrint(255 * std::max(part, 0.0f)));
      if (!cover) continue;
      block.cover[pixel] = cover;
      for (std::size_t c = 0; c < channels_; ++c) block.ink[pixel * channels_ + c] = static_cast<std::uint8_t>(ink[c]);
      left_[pixel] = 0;
    }
  }

  const float* inks_;
  std::size_t number_, channels_;
  float tolerance_, left_out_;
  std::size_t seen_, phase_ = 0;
  float left_[kBlockPixels];
};

// Whether the distances of a cell's pixels from the ground differ by at least `least` levels in some channel: (16 / side) squared cells.
inline void varying(const float* pixels, const float* ground, std::size_t channels, std::size_t side, float least, std::uint8_t* out) {
  for (std::size_t y0 = 0; y0 < kDrawnBlock; y0 += side)
    for (std::size_t x0 = 0; x0 < kDrawnBlock; x0 += side) {
      bool varies = false;
      for (std::size_t c = 0; c < channels; ++c) {
        float low = std::numeric_limits<float>::infinity(), high = -low;
        for (std::size_t y = y0; y < y0 + side; ++y)
          for (std::size_t x = x0; x < x0 + side; ++x) {
            const std::size_t at = (y * kDrawnBlock + x) * channels + c;
            const float away = pixels[at] - ground[at];
            low = std::min(low, away), high = std::max(high, away);
          }
        varies |= high - low >= least;
      }
      for (std::size_t y = y0; y < y0 + side; ++y) std::fill_n(out + y * kDrawnBlock + x0, side, varies ? 1 : 0);
    }
}

}  // namespace lic
