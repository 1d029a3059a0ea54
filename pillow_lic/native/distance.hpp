// How far levels of 8 bits are apart.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lic {

// The sum of the squared differences of n levels, n up to 33,025: of the channels of two colours, or of a row of them.
inline std::int32_t squared_distance(const std::uint8_t* one, const std::uint8_t* other, std::size_t n) {
  std::int32_t total = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t difference = one[i] - other[i];
    total += difference * difference;
  }
  return total;
}

}  // namespace lic
