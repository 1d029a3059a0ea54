// kernels.hpp in plain C++, and the choice among all.
#include "kernels.hpp"

#include <atomic>

#include "kernels_of.hpp"
#include "x86.hpp"

#if LIC_HAS_AVXVNNI
#include <cpuid.h>
#endif

namespace lic {

extern const Kernels kAvx512, kAvxVnni, kAvx2, kSse2, kNeon;

namespace {

const Kernels kPlain{"plain", draw, ascend, find, begin_means, find_means, draft_means, refine, paint,
                     analyse, find_latents, descend, draft, find_gradient, filter_row};

#if LIC_HAS_AVXVNNI
// By hand, as compilers have no name for it, or a new one; that the system keeps the registers they know of AVX2.
bool has_avx_vnni() {
  unsigned leaves, more, b, c, d;
  return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 0, &leaves, &b, &c, &d) && leaves >= 1 &&
         __get_cpuid_count(7, 1, &more, &b, &c, &d) && (more >> 4 & 1);
}
#endif

std::vector<const Kernels*> found() {
  std::vector<const Kernels*> all;
#if LIC_HAS_AVX512
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni"))
    all.push_back(&kAvx512);
#endif
#if LIC_HAS_AVXVNNI
  if (has_avx_vnni()) all.push_back(&kAvxVnni);
#endif
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx2")) all.push_back(&kAvx2);
#endif
#if defined(__x86_64__) || defined(_M_X64)
  all.push_back(&kSse2);
#endif
#if defined(__aarch64__)
  all.push_back(&kNeon);
#endif
  all.push_back(&kPlain);
  return all;
}

std::atomic<const Kernels*> chosen{nullptr};

}  // namespace

const std::vector<const Kernels*>& all_kernels() {
  static const std::vector<const Kernels*> all = found();
  return all;
}

bool fast_kernels() { return all_kernels().front() != &kPlain; }

const Kernels& kernels() {
  const Kernels* named = chosen.load();
  return named ? *named : *all_kernels().front();
}

bool use_kernels(const std::string& name) {
  for (const Kernels* one : all_kernels())
    if (name == one->name) {
      chosen.store(one);
      return true;
    }
  return false;
}

}  // namespace lic
