#include "engine/handing.h"

#include <algorithm>

namespace millrace {
namespace {

bool hands(const StageSpec& stage) {
  return stage.model->block_device() != nullptr && stage.batched && !stage.cache;
}

bool is_trimmed(const StageSpec& stage, std::size_t output) {
  return output < stage.trims.size() && !stage.trims[output].empty();
}

bool is_padded(const StageSpec& stage, std::size_t input) {
  return input < stage.padding.size() && stage.padding[input];
}

class Handing {
 public:
  Handing(const PipelineSpec& spec, const Layout& layout)
      : spec_(spec), layout_(layout), handed_(layout.values.size(), false) {}

  std::vector<bool> decide() && {
    add_outputs();
    take_out_what_the_host_reads();
    while (take_out_what_some_input_cannot_take()) {
    }
    return std::move(handed_);
  }

 private:
  void add_outputs() {
    for (std::uint32_t s = 0; s < spec_.stages.size(); ++s) {
      const StageSpec& stage = spec_.stages[s];
      if (!hands(stage) || stage.fan_out) continue;
      for (std::uint32_t i = 0; i < stage.model->outputs().size(); ++i) {
        const std::uint32_t value = layout_.value_of({false, s, i});
        const ValueLayout& place = layout_.values[value];
        handed_[value] = place.kept && place.fixed && place.row_bytes > 0 && !is_trimmed(stage, i);
      }
    }
  }

  void take_out(const Source& source) { handed_[layout_.value_of(source)] = false; }

  void take_out_what_the_host_reads() {
    for (const OutputSpec& output : spec_.outputs) {
      for (const Source& source : output.sources) take_out(source);
    }
    for (const StageSpec& stage : spec_.stages) {
      if (stage.condition) take_out(stage.condition->source);
    }
  }

  // An input is given handles or rows: where one of its candidates cannot be handed on, none is.
  bool take_out_what_some_input_cannot_take() {
    bool any = false;
    for (std::uint32_t s = 0; s < spec_.stages.size(); ++s) {
      for (std::size_t i = 0; i < spec_.stages[s].inputs.size(); ++i) {
        const std::vector<Source>& candidates = spec_.stages[s].inputs[i];
        const auto is_handed = [&](const Source& source) {
          return handed_[layout_.value_of(source)];
        };
        if (std::ranges::none_of(candidates, is_handed)) continue;
        const auto can_be = [&](const Source& source) {
          return is_handed(source) && takes(s, i, source);
        };
        if (std::ranges::all_of(candidates, can_be)) continue;
        for (const Source& source : candidates) take_out(source);
        any = true;
      }
    }
    return any;
  }

  [[nodiscard]] bool takes(std::uint32_t s, std::size_t input, const Source& source) const {
    const StageSpec& reader = spec_.stages[s];
    const StageLayout& stage = layout_.stages[s];
    const ValueLayout& value = layout_.values[layout_.value_of(source)];
    return hands(reader) &&
           reader.model->block_device() == spec_.stages[source.stage].model->block_device() &&
           stage.fixed_inputs && stage.scope == value.scope &&
           stage.input_row_bytes[input] == value.row_bytes && !is_padded(reader, input);
  }

  const PipelineSpec& spec_;
  const Layout& layout_;
  std::vector<bool> handed_;
};

}  // namespace

std::vector<bool> handed_values(const PipelineSpec& spec, const Layout& layout) {
  return Handing(spec, layout).decide();
}

}  // namespace millrace
