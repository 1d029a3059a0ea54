// kernels.hpp in plain C++, and the choice among all.
#include "kernels.hpp"

#include <atomic>

#include "kernels_of.hpp"

namespace lic {

extern const Kernels kAvx2, kSse2, kNeon;

namespace {

const Kernels kPlain{"plain", draw, ascend, find, begin_means, find_means, draft_means, refine, paint,
                     analyse, find_latents, descend, draft, find_gradient, filter_row};

std::vector<const Kernels*> found() {
  std::vector<const Kernels*> all;
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
