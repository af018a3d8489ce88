#include "engine/fan_out.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace millrace {
namespace {

// Far beyond what any queue holds; keeps a shape out of a broken function from being believed.
constexpr std::int64_t kMostItems = std::int64_t{1} << 24;

// What one output holds for one row.
struct RowOutput {
  const std::byte* data = nullptr;
  const std::string* strings = nullptr;
  std::span<const std::int64_t> dims;  // the first counts items
  std::size_t item_elements = 1;

  [[nodiscard]] std::int64_t items() const { return dims[0]; }
  [[nodiscard]] std::span<const std::int64_t> item_dims() const { return dims.subspan(1); }
};

RowOutput measured(RowOutput output) {
  if (output.dims.empty()) return output;
  for (const std::int64_t dim : output.item_dims()) {
    output.item_elements *= static_cast<std::size_t>(dim);
  }
  return output;
}

class ItemStore {
 public:
  ItemStore(const FanOutStage& stage, const RunResult& result, std::size_t rows)
      : stage_(stage), result_(result), rows_(rows) {}

  Status check_batch() const {
    for (std::size_t i = 0; i < outputs(); ++i) {
      const bool complete = is_ragged(i) ? result_.ragged[i].size() == rows_ : stacks(i);
      if (!complete) return fault(i, "does not have one row for each row of the batch");
    }
    return {};
  }

  Status check_row(std::size_t row) const {
    for (std::size_t i = 0; i < outputs(); ++i) {
      const RowOutput output = row_output(i, row);
      if (output.dims.empty()) return fault(i, "has no dimension that counts items");
      if (output.items() < 0 || output.items() > kMostItems) {
        return fault(i, "makes " + std::to_string(output.items()) + " items of a row; at most " +
                            std::to_string(kMostItems) + " are possible");
      }
      const std::int64_t first = row_output(0, row).items();
      if (output.items() != first) return disagreement(i, first, output.items());
      const ValueLayout& place = value(i);
      const std::size_t item_bytes = output.item_elements * element_size(place.type);
      if (place.fixed && output.items() > 0 && item_bytes != place.row_bytes) {
        return fault(i, "has items of another shape than its model declares");
      }
    }
    return {};
  }

  void store_row(std::size_t row, const ClaimedRow& claimed) const {
    if (outputs() == 0) return;  // nobody reads them: no items
    const auto count = static_cast<std::uint32_t>(row_output(0, row).items());
    Request& items = claimed.request->make_items(claimed.row, stage_.stage.items, count);
    for (std::size_t i = 0; i < outputs() && count > 0; ++i) {
      if (value(i).fixed) {
        store_fixed(i, row_output(i, row), items);
      } else {
        store_open(i, row_output(i, row), items);
      }
    }
  }

 private:
  [[nodiscard]] std::size_t outputs() const { return stage_.stage.output_values.size(); }

  [[nodiscard]] const ValueLayout& value(std::size_t output) const {
    return stage_.layout.values[stage_.stage.output_values[output]];
  }

  [[nodiscard]] bool is_ragged(std::size_t output) const {
    return output < result_.ragged.size() && !result_.ragged[output].empty();
  }

  [[nodiscard]] bool stacks(std::size_t output) const {
    if (output >= result_.outputs.size()) return false;
    const std::vector<std::int64_t>& dims = result_.outputs[output].dims;
    return !stage_.spec.batched || (!dims.empty() && dims[0] == static_cast<std::int64_t>(rows_));
  }

  [[nodiscard]] RowOutput row_output(std::size_t output, std::size_t row) const {
    if (is_ragged(output)) {
      const TensorView& view = result_.ragged[output][row];
      return measured({view.data, view.strings, view.dims});
    }
    const TensorView& view = result_.outputs[output];
    if (!stage_.spec.batched) return measured({view.data, view.strings, view.dims});
    RowOutput one = measured({view.data, view.strings, std::span(view.dims).subspan(1)});
    if (one.dims.empty()) return one;
    const std::size_t before = row * static_cast<std::size_t>(one.items()) * one.item_elements;
    if (one.data != nullptr) one.data += before * element_size(value(output).type);
    if (one.strings != nullptr) one.strings += before;
    return one;
  }

  void store_fixed(std::size_t output, const RowOutput& from, Request& items) const {
    const std::size_t bytes = value(output).row_bytes * items.rows();
    if (bytes == 0) return;  // then there may be no data to point at
    std::memcpy(items.record_row(stage_.stage.output_values[output], 0), from.data, bytes);
  }

  void store_open(std::size_t output, const RowOutput& from, Request& items) const {
    const bool strings = value(output).type == DataType::kString;
    const std::size_t item_bytes = from.item_elements * element_size(value(output).type);
    for (std::uint32_t item = 0; item < items.rows(); ++item) {
      Blob& blob = items.blob_row(stage_.stage.output_values[output], item);
      blob.dims.assign(from.item_dims().begin(), from.item_dims().end());
      if (strings) {
        const std::string* first = from.strings + item * from.item_elements;
        blob.strings.assign(first, first + from.item_elements);
      } else {
        const std::byte* first = from.data + item * item_bytes;
        blob.bytes.assign(first, first + item_bytes);
      }
    }
  }

  [[nodiscard]] const std::string& name(std::size_t output) const {
    return stage_.spec.model->outputs()[stage_.stage.model_outputs[output]].name;
  }

  [[nodiscard]] Error fault(std::size_t output, const std::string& what) const {
    return {ErrorCode::kStageFailed, "output '" + name(output) + "' " + what};
  }

  [[nodiscard]] Error disagreement(std::size_t output, std::int64_t first,
                                   std::int64_t other) const {
    return {ErrorCode::kStageFailed, "outputs '" + name(0) + "' and '" + name(output) +
                                         "' disagree on how many items a row has: " +
                                         std::to_string(first) + " and " + std::to_string(other)};
  }

  const FanOutStage& stage_;
  const RunResult& result_;
  const std::size_t rows_;
};

}  // namespace

Status store_items(const FanOutStage& stage, std::span<const ClaimedRow> rows,
                   const RunResult& result) {
  const ItemStore store(stage, result, rows.size());
  Status fits = store.check_batch();
  if (!fits.ok()) return fits;
  const auto failed = [&](std::size_t row) {
    return std::any_of(result.failed.begin(), result.failed.end(),
                       [&](const RowFailure& one) { return one.row == row; });
  };
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (failed(row)) continue;
    fits = store.check_row(row);
    if (!fits.ok()) return fits;
  }
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (!failed(row)) store.store_row(row, rows[row]);
  }
  return {};
}

}  // namespace millrace
