// The arithmetic of the kernels in examples/08-kernels, as C++ on the host. That they compile for a
// GPU, and run on one, is shown elsewhere or not at all: see native/cuda/README.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "cuda_on_host.h"

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wconversion"  // as CUDA C++ is written
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif

// What kernels of other sizes would be: each in a namespace of its own.
#define IN_HEIGHT 2
#define IN_WIDTH 2
#define OUT_HEIGHT 4
#define OUT_WIDTH 4
#define MEAN 0.0f, 0.5f, 0.0f
#define STD 1.0f, 1.0f, 0.5f
namespace millrace::on_host::enlarge {
#include "../../examples/08-kernels/preprocess.cu"
}
#undef IN_HEIGHT
#undef IN_WIDTH
#undef OUT_HEIGHT
#undef OUT_WIDTH
#define IN_HEIGHT 3
#define IN_WIDTH 5
#define OUT_HEIGHT 3
#define OUT_WIDTH 5
namespace millrace::on_host::keep {
#include "../../examples/08-kernels/preprocess.cu"
}

#define WIDTH 37
#define K 5
#define THREADS 8
namespace millrace::on_host {
#include "../../examples/08-kernels/top-k.cu"
}

namespace millrace::on_host {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(Preprocess, EnlargesAsOnnxResizeDoes) {
  // The example of ONNX's Resize, linear, a scale of 2: 1 2 / 3 4, here in every channel.
  const std::vector<float> wanted = {1,   1.25, 1.75, 2,   1.5, 1.75, 2.25, 2.5,
                                     2.5, 2.75, 3.25, 3.5, 3,   3.25, 3.75, 4};
  std::vector<unsigned char> image;
  for (const unsigned char value : {1, 2, 3, 4}) image.insert(image.end(), 3, value);
  std::vector<float> planes(3 * 16);
  launch(enlarge::preprocess, {1, 2, 1}, 8, image.data(), planes.data(), 1U);
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_FLOAT_EQ(planes[i], wanted[i] / 255);
    EXPECT_FLOAT_EQ(planes[16 + i], wanted[i] / 255 - 0.5F);
    EXPECT_FLOAT_EQ(planes[32 + i], wanted[i] / 255 / 0.5F);
  }
}

TEST(Preprocess, TakesChannelsApartAndKeepsRowsApart) {
  constexpr std::size_t kPixels = 15;
  std::vector<unsigned char> images(2 * 3 * kPixels);
  std::iota(images.begin(), images.end(), static_cast<unsigned char>(0));
  std::vector<float> planes(images.size(), kNan);
  launch(keep::preprocess, {2, 3, 1}, 4, images.data(), planes.data(), 2U);
  const std::array<float, 3> mean = {MEAN};
  const std::array<float, 3> deviation = {STD};
  for (std::size_t row = 0; row < 2; ++row) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      for (std::size_t pixel = 0; pixel < kPixels; ++pixel) {
        const float value = images[row * 3 * kPixels + pixel * 3 + channel];
        EXPECT_FLOAT_EQ(planes[(row * 3 + channel) * kPixels + pixel],
                        (value / 255 - mean[channel]) / deviation[channel]);
      }
    }
  }
}

// Descending by score; of equal ones the first comes first; no NaN.
std::vector<int> sorted_places(const std::vector<float>& row) {
  std::vector<int> places;
  for (int place = 0; place < WIDTH; ++place) {
    if (!std::isnan(row[static_cast<std::size_t>(place)])) places.push_back(place);
  }
  std::ranges::stable_sort(places, std::greater<>{},
                           [&](int place) { return row[static_cast<std::size_t>(place)]; });
  places.resize(K, -1);
  return places;
}

TEST(TopK, FindsTheLargestOfEachRowInOrder) {
  std::mt19937 random(7);
  constexpr unsigned kRows = 20;
  std::vector<float> scores;
  for (unsigned i = 0; i < kRows * WIDTH; ++i)
    scores.push_back(static_cast<float>(static_cast<int>(random() % 21) - 10));  // many are equal
  scores[3] = kNan;
  std::vector<float> values(kRows * K);
  std::vector<int> places(kRows * K);
  launch(top_k, {kRows, 1, 1}, THREADS, scores.data(), values.data(), places.data(), kRows);
  for (unsigned row = 0; row < kRows; ++row) {
    const std::vector<float> one(scores.begin() + row * WIDTH, scores.begin() + (row + 1) * WIDTH);
    const std::vector<int> wanted = sorted_places(one);
    for (unsigned k = 0; k < K; ++k) {
      EXPECT_EQ(places[row * K + k], wanted[k]) << "row " << row << ", " << k;
      EXPECT_EQ(values[row * K + k], one[static_cast<std::size_t>(wanted[k])]);
    }
  }
}

TEST(TopK, FillsUpWhereThereAreTooFewNumbers) {
  std::vector<float> scores(WIDTH, kNan);
  scores[30] = -std::numeric_limits<float>::infinity();
  scores[4] = 2;
  std::vector<float> values(K, 7);
  std::vector<int> places(K, 7);
  launch(top_k, {1, 1, 1}, THREADS, scores.data(), values.data(), places.data(), 1U);
  EXPECT_EQ(places, (std::vector<int>{4, 30, -1, -1, -1}));
  EXPECT_EQ(values[0], 2);
  EXPECT_EQ(values[2], 0);
}

}  // namespace
}  // namespace millrace::on_host
