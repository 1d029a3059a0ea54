// kernels.hpp for SSE2.
#if defined(__x86_64__) || defined(_M_X64)
#define LIC_FOR_SSE2
#include "kernels_of.hpp"

namespace lic {

extern const Kernels kSse2;
const Kernels kSse2{"sse2", draw, ascend, find, refine, paint, analyse, find_latents, draft, find_gradient, filter_row};

}  // namespace lic
#endif
