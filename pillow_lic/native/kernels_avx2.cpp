// kernels.hpp for AVX2.
#if defined(__x86_64__) && defined(__GNUC__)
#define LIC_FOR_AVX2
#include "kernels_of.hpp"

namespace lic {

extern const Kernels kAvx2;
const Kernels kAvx2{"avx2", draw, ascend, find, begin_means, find_means, draft_means, refine, paint,
                    analyse, find_latents, descend, draft, find_gradient, filter_row};

}  // namespace lic
#endif
