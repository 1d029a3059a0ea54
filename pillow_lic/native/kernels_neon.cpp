// kernels.hpp for NEON.
#if defined(__aarch64__)
#define LIC_FOR_NEON
#include "kernels_of.hpp"

namespace lic {

extern const Kernels kNeon;
const Kernels kNeon{"neon", draw, ascend, find, begin_means, find_means, draft_means, refine, paint,
                    analyse, find_latents, descend, draft, find_gradient, filter_row};

}  // namespace lic
#endif
