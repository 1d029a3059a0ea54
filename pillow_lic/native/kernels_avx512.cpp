// kernels.hpp for AVX-512 with VNNI.
#include "x86.hpp"

#if LIC_HAS_AVX512
#define LIC_FOR_AVX512
#include "kernels_of.hpp"

namespace lic {

extern const Kernels kAvx512;
const Kernels kAvx512{"avx512", draw, ascend, find, begin_means, find_means, draft_means, refine, paint,
                    analyse, find_latents, descend, draft, find_gradient, filter_row};

}  // namespace lic
#endif
