// Padding: rows made larger, and cut back.
#include "engine/padding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/data_type.h"

namespace millrace {
namespace {

using Shape = std::vector<std::int64_t>;

std::vector<std::byte> bytes(const std::vector<int>& values) {
  std::vector<std::byte> all;
  for (const int value : values) all.push_back(static_cast<std::byte>(value));
  return all;
}

// Elements of one byte.
std::vector<std::byte> padded(const std::vector<int>& row, const Shape& dims, const Shape& into) {
  const auto from = bytes(row);
  const auto fill = bytes({9});
  std::vector<std::byte> to(element_count(into), std::byte{77});
  pad_numbers(from.data(), dims, to.data(), into, fill);
  return to;
}

struct Case {
  const char* what;
  std::vector<int> row;
  Shape dims;
  Shape into;
  std::vector<int> wanted;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"a sequence", {1, 2}, {2}, {5}, {1, 2, 9, 9, 9}},
      {"nothing to do", {1, 2}, {2}, {2}, {1, 2}},
      {"a scalar", {1}, {}, {}, {1}},
      {"rows made longer", {1, 2, 3, 4}, {2, 2}, {2, 3}, {1, 2, 9, 3, 4, 9}},
      {"more rows", {1, 2, 3, 4}, {2, 2}, {3, 2}, {1, 2, 3, 4, 9, 9}},
      {"both", {1, 2, 3, 4}, {2, 2}, {3, 3}, {1, 2, 9, 3, 4, 9, 9, 9, 9}},
      {"a dimension behind the padded one", {1, 2, 3, 4}, {2, 2}, {4, 2}, {1, 2, 3, 4, 9, 9, 9, 9}},
      {"the outer and the inner of three", {1, 2}, {1, 2, 1}, {2, 2, 2}, {1, 9, 2, 9, 9, 9, 9, 9}},
      {"an empty row", {}, {0}, {3}, {9, 9, 9}},
      {"rows without elements", {}, {2, 0}, {2, 2}, {9, 9, 9, 9}},
      {"no rows of some length", {}, {0, 2}, {1, 2}, {9, 9}},
      {"into nothing", {}, {0, 2}, {0, 3}, {}},
  };
  return all;
}

TEST(Padding, PutsTheRowInTheCornerAndFillsTheRest) {
  for (const Case& one : cases()) {
    EXPECT_EQ(padded(one.row, one.dims, one.into), bytes(one.wanted)) << one.what;
  }
}

TEST(Padding, IsUndoneByCutting) {
  for (const Case& one : cases()) {
    const auto from = bytes(one.wanted);
    std::vector<std::byte> to(one.row.size(), std::byte{77});
    cut_numbers(from.data(), one.into, to.data(), one.dims, 1);
    EXPECT_EQ(to, bytes(one.row)) << one.what;
  }
}

TEST(Padding, TreatsStringsAlike) {
  for (const Case& one : cases()) {
    std::vector<std::string> row;
    for (const int value : one.row) row.push_back(std::string(40, static_cast<char>('a' + value)));
    std::vector<std::string> to(element_count(one.into), "left over");
    pad_strings(row.data(), one.dims, to.data(), one.into, "fill");
    ASSERT_EQ(to.size(), one.wanted.size()) << one.what;
    for (std::size_t i = 0; i < to.size(); ++i) {
      const int value = one.wanted[i];
      EXPECT_EQ(to[i], value == 9 ? "fill" : std::string(40, static_cast<char>('a' + value)));
    }
    std::vector<std::string> back(row.size());
    cut_strings(to.data(), one.into, back.data(), one.dims);
    EXPECT_EQ(back, row) << one.what;
  }
}

// Every byte of an element differs from its neighbours, so that one that is out of step shows.
TEST(Padding, IsByElementForEveryType) {
  for (int type = 1; type <= static_cast<int>(DataType::kUint64); ++type) {
    const std::size_t size = element_size(static_cast<DataType>(type));
    if (size == 0) continue;
    std::vector<std::byte> element(size);
    for (std::size_t i = 0; i < size; ++i) element[i] = static_cast<std::byte>(200 + i);
    std::vector<std::byte> row(2 * 3 * size);
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<std::byte>(i);
    std::vector<std::byte> to(4 * 5 * size);
    pad_numbers(row.data(), Shape{2, 3}, to.data(), Shape{4, 5}, element);
    for (std::size_t at = 0; at < 4 * 5; ++at) {
      const std::size_t r = at / 5;
      const std::size_t c = at % 5;
      const std::byte* const wanted =
          r < 2 && c < 3 ? row.data() + (r * 3 + c) * size : element.data();
      EXPECT_TRUE(std::equal(wanted, wanted + size, to.data() + at * size))
          << type_name(static_cast<DataType>(type)) << " at " << at;
    }
    std::vector<std::byte> back(row.size());
    cut_numbers(to.data(), Shape{4, 5}, back.data(), Shape{2, 3}, size);
    EXPECT_EQ(back, row) << type_name(static_cast<DataType>(type));
  }
}

TEST(Padding, FillsLongTails) {
  for (const std::int64_t length : {1, 2, 3, 7, 64, 1000, 4097}) {
    const auto to = padded({5}, {1}, {length});
    EXPECT_EQ(to[0], std::byte{5});
    EXPECT_TRUE(std::all_of(to.begin() + 1, to.end(), [](std::byte b) {
      return b == std::byte{9};
    })) << length;
  }
}

}  // namespace
}  // namespace millrace
