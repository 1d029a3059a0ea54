// Numbers that differ, and how often each is there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace lic {

// Kinds are numbered in the order in which they first come.
class Kinds {
 public:
  Kinds() : slots_(std::size_t{1} << bits_, kEmpty) {}

  // Counts a number once more and returns its kind.
  std::uint32_t add(std::uint32_t number) {
    if (number != last_number_) last_ = kind_of(number), last_number_ = number;
    ++counts_[last_];
    return last_;
  }

  const std::vector<std::uint32_t>& numbers() const { return numbers_; }
  const std::vector<std::int64_t>& counts() const { return counts_; }

 private:
  static constexpr std::uint32_t kEmpty = 0xFFFFFFFF;

  std::size_t slot_of(std::uint32_t number) const {
    std::size_t slot = number * 0x9E3779B1u >> (32 - bits_);
    while (slots_[slot] != kEmpty && numbers_[slots_[slot]] != number) slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  std::uint32_t kind_of(std::uint32_t number) {
    std::size_t slot = slot_of(number);
    if (slots_[slot] != kEmpty) return slots_[slot];
    if (2 * (numbers_.size() + 1) > slots_.size()) {
      slots_.assign(std::size_t{1} << ++bits_, kEmpty);
      for (std::size_t kind = 0; kind < numbers_.size(); ++kind) slots_[slot_of(numbers_[kind])] = static_cast<std::uint32_t>(kind);
      slot = slot_of(number);
    }
    slots_[slot] = static_cast<std::uint32_t>(numbers_.size());
    numbers_.push_back(number);
    counts_.push_back(0);
    return slots_[slot];
  }

  std::size_t bits_ = 10;             // of a slot's number
  std::vector<std::uint32_t> slots_;  // kinds, by their numbers' hashes; half of them and more are empty
  std::vector<std::uint32_t> numbers_;
  std::vector<std::int64_t> counts_;
  std::uint32_t last_ = 0;
  std::uint64_t last_number_ = ~std::uint64_t{0};
};

// Numbers that differ, ascending; which of them each is; how often each is there.
struct Distinct {
  std::vector<std::uint32_t> kinds;
  std::vector<std::int64_t> places, counts;
};

inline Distinct distinct(const std::uint32_t* numbers, std::size_t n) {
  Kinds found;
  std::vector<std::uint32_t> kinds(n);
  for (std::size_t i = 0; i < n; ++i) kinds[i] = found.add(numbers[i]);
  const std::size_t m = found.numbers().size();
  std::vector<std::uint32_t> order(m), rank(m);
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t one, std::uint32_t other) { return found.numbers()[one] < found.numbers()[other]; });
  Distinct result{std::vector<std::uint32_t>(m), std::vector<std::int64_t>(n), std::vector<std::int64_t>(m)};
  for (std::size_t i = 0; i < m; ++i) {
    rank[order[i]] = static_cast<std::uint32_t>(i);
    result.kinds[i] = found.numbers()[order[i]];
    result.counts[i] = found.counts()[order[i]];
  }
  for (std::size_t i = 0; i < n; ++i) result.places[i] = rank[kinds[i]];
  return result;
}

}  // namespace lic
