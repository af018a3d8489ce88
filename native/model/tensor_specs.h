// What a loaded model takes and gives, in our terms.
#pragma once

#include <string>
#include <vector>

#include "model/model.h"

namespace millrace {

class OrtLibrary;
namespace ort {
struct Session;
}

enum class Side { kInput, kOutput };

// The inputs or outputs of a session, in the model's order. Fails with kModelLoad, naming the first
// that is not a tensor (a sequence, a map) or whose element type we do not support.
Result<std::vector<TensorSpec>> read_specs(const OrtLibrary& library, const ort::Session& session,
                                           Side side, const std::string& model_name);

}  // namespace millrace
