// Places of a tile where the same is likely to be drawn.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "snap_colors.hpp"

namespace lic {

class SnapPlaces {
 public:
  using Bucket = std::array<std::int32_t, 4>;  // pixels, the last that was remembered first; -1 behind them

  SnapPlaces(const SnapColors& colors, std::size_t height, std::size_t width) : width_(width), keys_(height * width) {
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x + kWide <= width; ++x) {
        std::uint32_t key = 0, first = coarse(colors, y * width + x);
        bool flat = true;
        for (const std::size_t row : {y, std::min(y + 1, height - 1)})
          for (std::size_t at = 0; at < kWide; ++at) {
            const std::uint32_t level = coarse(colors, row * width + x + at);
            flat &= level == first;
            key = 31 * key + level + 1;
          }
        keys_[y * width + x] = flat ? 0 : static_cast<std::uint16_t>(key * 2654435761u >> 16 | 1u);
      }
  }

  void forget() { buckets_.assign(kBuckets, Bucket{-1, -1, -1, -1}); }

  void remember(std::size_t y) {
    for (std::size_t pixel = y * width_; pixel < (y + 1) * width_; ++pixel)
      if (const std::uint16_t key = keys_[pixel]) {
        Bucket& bucket = buckets_[key];
        std::copy_backward(bucket.begin(), bucket.end() - 1, bucket.end());
        bucket[0] = static_cast<std::int32_t>(pixel);
      }
  }

  // Those that are remembered and look as a pixel and what is right of it and below; null where nothing is drawn.
  const Bucket* like(std::size_t pixel) const { return keys_[pixel] ? &buckets_[keys_[pixel]] : nullptr; }

 private:
  static constexpr std::size_t kBuckets = std::size_t{1} << 16, kWide = 4;

  static std::uint32_t coarse(const SnapColors& colors, std::size_t pixel) {
    const std::int32_t kind = colors.of(pixel);
    return kind == SnapColors::kHole ? 7 : colors.color(kind)[colors.channels() / 2] / 40u;
  }

  std::size_t width_;
  std::vector<std::uint16_t> keys_;  // of every pixel a number that is likely to be the same where the same is drawn; 0 where nothing is
  std::vector<Bucket> buckets_;
};

}  // namespace lic
