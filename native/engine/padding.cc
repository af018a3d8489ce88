#include "engine/padding.h"

#include <algorithm>
#include <cstring>

namespace millrace {
namespace {

// Visits what both blocks have in common, in ascending order, in pieces that are contiguous in
// both: visit(element in `from`, element in `to`, elements).
template <class Visit>
void each_run(Dims from, Dims to, std::size_t from_at, std::size_t to_at, const Visit& visit) {
  if (from.empty()) return visit(from_at, to_at, 1);
  const auto outer = static_cast<std::size_t>(std::min(from[0], to[0]));
  const Dims from_inner = from.subspan(1);
  const Dims to_inner = to.subspan(1);
  const std::size_t from_step = element_count(from_inner);
  const std::size_t to_step = element_count(to_inner);
  if (std::ranges::equal(from_inner, to_inner)) return visit(from_at, to_at, outer * to_step);
  for (std::size_t i = 0; i < outer; ++i) {
    each_run(from_inner, to_inner, from_at + i * from_step, to_at + i * to_step, visit);
  }
}

// copy(element in `from`, element in `to`, elements), fill(from element, to element).
template <class Copy, class Fill>
void pad(Dims dims, Dims into, const Copy& copy, const Fill& fill) {
  std::size_t done = 0;
  if (element_count(dims) > 0) {
    each_run(dims, into, 0, 0, [&](std::size_t from_at, std::size_t to_at, std::size_t count) {
      fill(done, to_at);
      copy(from_at, to_at, count);
      done = to_at + count;
    });
  }
  fill(done, element_count(into));
}

// Each copy doubles what is there.
void fill_numbers(std::byte* to, std::size_t bytes, std::span<const std::byte> element) {
  if (bytes == 0) return;
  std::memcpy(to, element.data(), element.size());
  for (std::size_t done = element.size(); done < bytes; done *= 2) {
    std::memcpy(to + done, to, std::min(done, bytes - done));
  }
}

}  // namespace

std::size_t element_count(Dims dims) {
  std::size_t count = 1;
  for (const std::int64_t dim : dims) count *= static_cast<std::size_t>(dim);
  return count;
}

void pad_numbers(const std::byte* from, Dims dims, std::byte* to, Dims into,
                 std::span<const std::byte> element) {
  const std::size_t size = element.size();
  pad(
      dims, into,
      [&](std::size_t from_at, std::size_t to_at, std::size_t count) {
        std::memcpy(to + to_at * size, from + from_at * size, count * size);
      },
      [&](std::size_t begin, std::size_t end) {
        fill_numbers(to + begin * size, (end - begin) * size, element);
      });
}

void pad_strings(const std::string* from, Dims dims, std::string* to, Dims into,
                 const std::string& fill) {
  pad(
      dims, into,
      [&](std::size_t from_at, std::size_t to_at, std::size_t count) {
        std::copy_n(from + from_at, count, to + to_at);
      },
      [&](std::size_t begin, std::size_t end) { std::fill(to + begin, to + end, fill); });
}

void cut_numbers(const std::byte* from, Dims dims, std::byte* to, Dims cut,
                 std::size_t element_bytes) {
  if (element_count(cut) == 0) return;  // then there may be nothing to point at
  each_run(dims, cut, 0, 0, [&](std::size_t from_at, std::size_t to_at, std::size_t count) {
    std::memcpy(to + to_at * element_bytes, from + from_at * element_bytes, count * element_bytes);
  });
}

void cut_strings(const std::string* from, Dims dims, std::string* to, Dims cut) {
  if (element_count(cut) == 0) return;
  each_run(dims, cut, 0, 0, [&](std::size_t from_at, std::size_t to_at, std::size_t count) {
    std::copy_n(from + from_at, count, to + to_at);
  });
}

}  // namespace millrace
