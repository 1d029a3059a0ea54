// kernels.hpp for NEON.
#if defined(__aarch64__)
#define LIC_FOR_NEON
#include "kernels_of.hpp"

namespace lic {

extern const Kernels kNeon;
const Kernels kNeon{"neon", draw, ascend, find, refine, paint, analyse, find_latents, draft, find_gradient, filter_row};

}  // namespace lic
#endif
