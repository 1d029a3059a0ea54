// kernels.hpp for SSE2.
#if defined(__x86_64__) || defined(_M_X64)
#define LIC_FOR_SSE2
#include "kernels_of.hpp"

namespace lic {

extern const Kernels kSse2;
const Kernels kSse2{"sse2", draw, ascend, find, begin_means, find_means, draft_means, refine, paint,
                    analyse, find_latents, descend, draft, find_gradient, filter_row};

}  // namespace lic
#endif
