// kernels.hpp for AVX-VNNI.
#include "x86.hpp"

#if LIC_HAS_AVXVNNI
#define LIC_FOR_AVXVNNI
#include "kernels_of.hpp"

namespace lic {

extern const Kernels kAvxVnni;
const Kernels kAvxVnni{"avxvnni", draw, ascend, find, begin_means, find_means, draft_means, refine, paint,
                    analyse, find_latents, descend, draft, find_gradient, filter_row};

}  // namespace lic
#endif
