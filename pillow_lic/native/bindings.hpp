// What the bindings share: arrays of numpy as they come and as they are given.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace nb = nanobind;

template <typename T>
using Vector = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Indexes = Vector<std::uint16_t>;
using Flags = nb::ndarray<const bool, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

inline void check_lengths(std::size_t n, const char* what, std::size_t others, const char* which) {
  if (n != others)
    throw std::invalid_argument("there are " + std::to_string(n) + " " + what + " but " + std::to_string(others) + " " +
                                which);
}

// Whether the pixels of an array have so many channels, the numbers of a row lie together, and the rows one behind another.
template <typename Pixels>
bool in_rows(const Pixels& pixels, std::size_t channels) {
  return pixels.shape(2) == channels && pixels.stride(2) == 1 && pixels.stride(1) == static_cast<std::int64_t>(channels) &&
         (pixels.shape(0) < 2 || pixels.stride(0) >= 0);
}

template <typename T>
using Result = nb::ndarray<nb::numpy, T, nb::ndim<1>>;

// Numbers that are all written before they are given, else nothing is: to set them first takes as long as to write them.
template <typename T>
std::unique_ptr<T[]> unset(std::size_t n) {
  return std::unique_ptr<T[]>(new T[n]);
}

template <typename T>
Result<T> owned(std::unique_ptr<T[]> values, std::size_t n) {
  nb::capsule owner(values.get(), [](void* pointer) noexcept { delete[] static_cast<T*>(pointer); });
  return {values.release(), {n}, owner};
}

template <typename T>
Result<T> owned(std::vector<T> values) {
  auto* kept = new std::vector<T>(std::move(values));
  nb::capsule owner(kept, [](void* pointer) noexcept { delete static_cast<std::vector<T>*>(pointer); });
  return {kept->data(), {kept->size()}, owner};
}

// Each adds its part to the module.
void bind_symbols(nb::module_& module);
void bind_bits(nb::module_& module);
void bind_pictures(nb::module_& module);
void bind_filters(nb::module_& module);
void bind_encoder(nb::module_& module);
void bind_drafts(nb::module_& module);
void bind_pixelwise(nb::module_& module);
void bind_snapping(nb::module_& module);
void bind_glyphs(nb::module_& module);
void bind_layers(nb::module_& module);
