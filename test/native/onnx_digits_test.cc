#include <sstream>

#include "onnx_fixture.h"

namespace millrace {
namespace {

struct Digits {
  std::vector<float> pixels;  // 64 an image
  std::vector<std::int64_t> labels;
};

// Lines of "label,p0..p63" under a heading.
Digits read_digits() {
  Digits digits;
  std::ifstream file(repository_file("examples/01-digits-cascade/data/test.csv"));
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    std::string cell;
    std::getline(cells, cell, ',');
    digits.labels.push_back(std::stoll(cell));
    while (std::getline(cells, cell, ',')) digits.pixels.push_back(std::stof(cell));
  }
  return digits;
}

class OnnxDigitsTest : public OnnxTest {
 protected:
  // The share of images named rightly, taken `batch` at a time.
  double accuracy(const std::string& name, std::size_t batch) {
    const auto model = load(digits_model(name));
    const auto runner = runner_of(*model, batch, {1});
    const Digits digits = read_digits();
    std::size_t right = 0;
    std::vector<TensorView> outputs;
    for (std::size_t first = 0; first < digits.labels.size(); first += batch) {
      const std::size_t rows = std::min(batch, digits.labels.size() - first);
      const auto* images = reinterpret_cast<const std::byte*>(digits.pixels.data() + first * 64);
      const TensorView inputs[] = {{images, nullptr, {static_cast<std::int64_t>(rows), 1, 8, 8}}};
      EXPECT_TRUE(run(*runner, inputs, outputs).ok());
      const auto labels = elements_of<std::int64_t>(outputs[0]);
      for (std::size_t i = 0; i < rows; ++i) right += labels[i] == digits.labels[first + i];
    }
    return static_cast<double>(right) / static_cast<double>(digits.labels.size());
  }
};

TEST_F(OnnxDigitsTest, TheFastModelIsAsAccurateAsItsAuthorsSayAtAnyBatch) {
  for (const std::size_t batch : {1u, 7u, 32u, 240u})
    EXPECT_NEAR(accuracy("fast", batch), 0.896, 0.0005);
}

TEST_F(OnnxDigitsTest, TheAccurateModelIsAsAccurateAsItsAuthorsSayAtAnyBatch) {
  for (const std::size_t batch : {1u, 7u, 32u, 240u})
    EXPECT_NEAR(accuracy("accurate", batch), 0.979, 0.0005);
}

}  // namespace
}  // namespace millrace
