// A part of the rows of a picture.
#pragma once

#include <cstddef>

namespace lic {

// Rows of latents, [first, last), of which some are made at a time, and the size of the whole.
struct Stretch {
  std::size_t first, last, height, width;
};

}  // namespace lic
