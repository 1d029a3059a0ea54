// The pairs of inputs that products look at where many are 0, compiled for one instruction set (lanes.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "lanes.hpp"

namespace lic {

namespace {

// Numbers of pairs of inputs, ascending.
struct Pairs {
  const std::uint16_t* numbers;
  std::size_t count;
};

// Of a row of places: the pairs that are not 0 in all kAbreast places of a stretch, and of those in the places behind the last whole one.
class PairsOfRow {
 public:
  // Of up to `most` places of so many inputs, a multiple of kOutputs.
  PairsOfRow(std::size_t most, std::size_t inputs) : inputs_(inputs), numbers_((most / kAbreast + kAbreast) * inputs / 2), counts_(most / kAbreast + kAbreast) {}

  LIC_PRODUCT LIC_APART void find(const Feature* row, std::size_t count) {
    whole_ = count / kAbreast;
    for (std::size_t stretch = 0; stretch < whole_; ++stretch) find(row + stretch * kAbreast * inputs_, kAbreast, stretch);
    for (std::size_t x = whole_ * kAbreast; x < count; ++x) find(row + x * inputs_, 1, whole_ + x - whole_ * kAbreast);
  }

  // Of the stretch, or of the place behind the last whole one, that begins with place x.
  Pairs at(std::size_t x) const {
    const std::size_t stretch = x < whole_ * kAbreast ? x / kAbreast : x - whole_ * (kAbreast - 1);
    return {&numbers_[stretch * inputs_ / 2], counts_[stretch]};
  }

 private:
  LIC_PRODUCT_INLINE void find(const Feature* from, std::size_t places, std::size_t stretch) {
    std::uint16_t* numbers = &numbers_[stretch * inputs_ / 2];
    std::size_t found = 0;
    for (std::size_t k = 0; k < inputs_; k += kOutputs) {
      Features seen = loaded(from + k);
      for (std::size_t i = 1; i < places; ++i) seen = any(seen, loaded(from + i * inputs_ + k));
      Feature each[kOutputs];
      stored(each, seen);
      for (std::size_t pair = 0; pair < kOutputs / 2; ++pair) {
        numbers[found] = static_cast<std::uint16_t>(k / 2 + pair);
        found += (each[2 * pair] | each[2 * pair + 1]) != 0;
      }
    }
    counts_[stretch] = found;
  }

  std::size_t inputs_, whole_ = 0;
  std::vector<std::uint16_t> numbers_;
  std::vector<std::size_t> counts_;
};

// All of them, of every place.
struct AllPairs {
  std::size_t count;

  std::size_t at(std::size_t) const { return count; }
};

}  // namespace

}  // namespace lic
