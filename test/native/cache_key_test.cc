// What makes two rows equal.
#include "engine/cache_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine_harness.h"

namespace millrace {
namespace {

// The key of a request of one row of strings.
Key key_of_strings(const std::vector<std::string>& strings) {
  FakeOptions options;
  options.strings = true;
  options.width = -1;
  PipelineSpec spec = single(fake(options));
  spec.inputs = {{"x", DataType::kString, {-1, -1}}};
  const Layout layout(spec);
  Request request(layout, 0);
  request.prepare(1);
  CallerInput input;
  input.strings = strings.data();
  input.row_elements = strings.size();
  input.row_dims = {static_cast<std::int64_t>(strings.size())};
  request.begin_submit(&input, 1);
  KeyWriter writer;
  return Key(writer.write({spec.stages[0], layout.stages[0], layout}, request, 0));
}

// The key of row 1 of a request of two.
Key key_of_floats(const std::vector<float>& row, std::vector<std::int64_t> row_dims) {
  FakeOptions options;
  options.width = -1;
  PipelineSpec spec = single(fake(options));
  spec.inputs = {{"x", DataType::kFloat32, {-1, -1, -1}}};
  const Layout layout(spec);
  Request request(layout, 0);
  request.prepare(2);
  std::vector<float> rows(row.size(), 5);
  rows.insert(rows.end(), row.begin(), row.end());
  CallerInput input;
  input.data = reinterpret_cast<const std::byte*>(rows.data());
  input.row_bytes = row.size() * sizeof(float);
  input.row_elements = row.size();
  input.row_dims = std::move(row_dims);
  request.begin_submit(&input, 1);
  KeyWriter writer;
  return Key(writer.write({spec.stages[0], layout.stages[0], layout}, request, 1));
}

bool equal(const Key& a, const Key& b) {
  return a.view() == b.view();
}

TEST(CacheKey, IsEqualForEqualRows) {
  EXPECT_TRUE(equal(key_of_strings({"ab", "c"}), key_of_strings({"ab", "c"})));
  EXPECT_TRUE(equal(key_of_floats({1, 2}, {2, 1}), key_of_floats({1, 2}, {2, 1})));
}

TEST(CacheKey, TellsApartRowsOfTheSameBytesAndOtherShapes) {
  EXPECT_FALSE(equal(key_of_floats({1, 2}, {2, 1}), key_of_floats({1, 2}, {1, 2})));
  EXPECT_FALSE(equal(key_of_floats({}, {0, 1}), key_of_floats({}, {1, 0})));
}

TEST(CacheKey, TellsApartStringsThatJoinToTheSame) {
  EXPECT_FALSE(equal(key_of_strings({"ab", "c"}), key_of_strings({"a", "bc"})));
  EXPECT_FALSE(equal(key_of_strings({"abc", ""}), key_of_strings({"", "abc"})));
  EXPECT_FALSE(equal(key_of_strings({std::string("a\0", 2)}), key_of_strings({"a"})));
}

TEST(CacheKey, TellsApartZeroAndMinusZero) {
  EXPECT_FALSE(equal(key_of_floats({0.0f}, {1, 1}), key_of_floats({-0.0f}, {1, 1})));
}

TEST(CacheKey, HashesEachByteOfAnyLength) {
  std::vector<std::uint64_t> seen;
  for (std::size_t length = 0; length < 80; ++length) {
    std::vector<std::byte> bytes(length);
    seen.push_back(hash_bytes(bytes));
    for (std::byte& byte : bytes) {
      byte = std::byte{1};
      seen.push_back(hash_bytes(bytes));
      byte = std::byte{0};
    }
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
}

}  // namespace
}  // namespace millrace
