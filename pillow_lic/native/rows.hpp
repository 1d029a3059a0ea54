// Rows of colours in 1/16 of a level, and of luma, one plane after another, as the filter of pixels reads them: the picture's edge goes on
// outside.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "trellis.hpp"

namespace lic {

constexpr int kColours = 3, kLuma = 3, kPlanes = 4;  // luma: (red + 2 green + blue) >> 2, 0..4080
constexpr int kReach = 3;  // pixels around one that decide it

LIC_VERSIONS inline void add_luma(const std::int16_t* red, const std::int16_t* green, const std::int16_t* blue, std::size_t n,
                                  std::int16_t* luma) {
  for (std::size_t x = 0; x < n; ++x) luma[x] = static_cast<std::int16_t>((red[x] + 2 * green[x] + blue[x]) >> 2);
}

// n pixels, a plane for each colour.
LIC_VERSIONS inline void add_planes(const std::uint16_t* __restrict pixels, std::size_t n, std::int16_t* __restrict red, std::int16_t* __restrict green,
                                    std::int16_t* __restrict blue) {
  for (std::size_t x = 0; x < n; ++x) {
    red[x] = static_cast<std::int16_t>(pixels[3 * x]);
    green[x] = static_cast<std::int16_t>(pixels[3 * x + 1]);
    blue[x] = static_cast<std::int16_t>(pixels[3 * x + 2]);
  }
}

// Rows of an array (height, width, 3), one plane of a row after another, with kReach more pixels on both sides; the last 7 are kept.
class Rows {
 public:
  Rows(const std::uint16_t* pixels, std::size_t height, std::size_t width) : Rows(pixels, height, width, kColours * width) {}

  // Rows that lie `apart` numbers from each other.
  Rows(const std::uint16_t* pixels, std::size_t height, std::size_t width, std::size_t apart)
      : pixels_(pixels), height_(height), width_(width), apart_(apart), kept_(kKept * kPlanes * stride() + kSlack), held_(kKept, kNone) {}

  // Of row y, which may lie kReach outside; valid until 7 other rows have been asked for.
  const std::int16_t* at(std::ptrdiff_t y, int plane) {
    const std::size_t row = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(y, 0, static_cast<std::ptrdiff_t>(height_) - 1));
    const std::size_t slot = row % kKept;
    if (held_[slot] != row) fill(row, slot);
    return plane_of(slot, static_cast<std::size_t>(plane)) + kReach;
  }

 private:
  // kSlack: places behind the last one that may be read, for rows are worked on in whole vectors.
  static constexpr std::size_t kKept = 2 * kReach + 1, kNone = static_cast<std::size_t>(-1), kSlack = 16;
  std::size_t stride() const { return width_ + 2 * kReach; }
  std::int16_t* plane_of(std::size_t slot, std::size_t plane) { return &kept_[(slot * kPlanes + plane) * stride()]; }

  void fill(std::size_t row, std::size_t slot) {
    held_[slot] = row;
    add_planes(pixels_ + row * apart_, width_, plane_of(slot, 0) + kReach, plane_of(slot, 1) + kReach, plane_of(slot, 2) + kReach);
    for (std::size_t colour = 0; colour < kColours; ++colour) {
      std::int16_t* to = plane_of(slot, colour);
      for (std::size_t x = 0; x < kReach; ++x) to[x] = to[kReach], to[kReach + width_ + x] = to[kReach + width_ - 1];
    }
    add_luma(plane_of(slot, 0), plane_of(slot, 1), plane_of(slot, 2), stride(), plane_of(slot, kLuma));
  }

  const std::uint16_t* pixels_;
  std::size_t height_, width_, apart_;
  std::vector<std::int16_t> kept_;
  std::vector<std::size_t> held_;
};

}  // namespace lic
