// Makes the sessions of one model: turns our options into ONNX Runtime's, keeps what a later
// session needs (the source, the packed weights) and lets a load be cancelled. Used by one thread
// at a time; must outlive its sessions.
#pragma once

#include <memory>
#include <string>

#include "model/onnx_model.h"
#include "model/ort_abi.h"

namespace millrace {

class OrtCalls;

class SessionFactory {
 public:
  SessionFactory(const OrtLibrary& library, OnnxModelSource source, OnnxModelOptions options);

  // Slow: loads and optimises the model. Errors: kModelLoad, kInvalidOption, kCancelled.
  Result<std::shared_ptr<ort::Session>> create();  // on a device of turns, it waits for one

  // Whether one session can serve every runner. Where it can, create() is called once.
  bool sessions_are_shared() const { return options_.threads == 1; }
  const std::string& model_name() const { return source_.name; }
  ProviderKind provider() const { return options_.provider.kind; }

 private:
  Status configure(ort::SessionOptions* options) const;
  void open(OrtCalls& call, const ort::SessionOptions* options, ort::Session** session) const;
  Error load_error(const OrtCalls& call) const;

  const OrtLibrary& library_;
  OnnxModelSource source_;
  OnnxModelOptions options_;
};

}  // namespace millrace
