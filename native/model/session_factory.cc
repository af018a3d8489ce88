#include "model/session_factory.h"

#include <filesystem>

#include "model/device_turns.h"
#include "model/ort_call.h"
#include "model/ort_library.h"

namespace millrace {

SessionFactory::SessionFactory(const OrtLibrary& library, OnnxModelSource source,
                               OnnxModelOptions options)
    : library_(library), source_(std::move(source)), options_(std::move(options)) {
  if (source_.name.empty()) source_.name = source_.path.empty() ? "(bytes)" : source_.path;
}

Result<std::shared_ptr<ort::Session>> SessionFactory::create() {
  const ort::Api& api = library_.api();
  const ProviderKind kind = provider();
  const DeviceTurn turn = DeviceTurn::take(kind);
  OrtCalls call(api);
  ort::SessionOptions* raw_options = nullptr;
  call(ort::kCreateSessionOptions, &raw_options);
  const ort::Owned<ort::SessionOptions> options(raw_options, api[ort::kReleaseSessionOptions]);
  if (call.failed()) return load_error(call);
  const Status configured = configure(options.get());
  if (!configured.ok()) return configured.error();

  ort::Session* session = nullptr;
  {
    const LoadCancellation::Scope scope(options_.cancellation.get(), api, options.get());
    open(call, options.get(), &session);
  }
  if (call.failed()) return load_error(call);
  if (sessions_are_shared()) source_.bytes = {};  // ONNX Runtime has copied what it needs
  return std::shared_ptr<ort::Session>(session, [&api, kind](ort::Session* one) {
    const DeviceTurn release_turn = DeviceTurn::take(kind);
    api[ort::kReleaseSession](one);
  });
}

Status SessionFactory::configure(ort::SessionOptions* options) const {
  OrtCalls call(library_.api());
  const char* spinning = options_.spinning ? "1" : "0";
  // Errors come back as values; without this they are printed to the host's standard error as well.
  call(ort::kSetSessionLogSeverityLevel, options, ort::LogLevel::kFatal);
  call(ort::kSetSessionGraphOptimizationLevel, options, ort::OptimizationLevel::kAll);
  call(ort::kSetSessionExecutionMode, options, ort::ExecutionMode::kSequential);
  call(ort::kSetIntraOpNumThreads, options, options_.threads);
  call(ort::kSetInterOpNumThreads, options, 1);
  call(ort::kAddSessionConfigEntry, options, "session.intra_op.allow_spinning", spinning);
  call(ort::kAddSessionConfigEntry, options, "session.inter_op.allow_spinning", spinning);
  if (!options_.arena) call(ort::kDisableCpuMemArena, options)(ort::kDisableMemPattern, options);
  for (const auto& [key, value] : options_.session_config) {
    call(ort::kAddSessionConfigEntry, options, key.c_str(), value.c_str());
  }
  if (!call.failed()) {
    const Status appended = append_provider(library_, options_.provider, options);
    if (appended.ok()) return {};
    return Error{ErrorCode::kModelLoad,
                 "cannot load model '" + source_.name + "': " + appended.error().message};
  }
  return Error{ErrorCode::kInvalidOption,
               "cannot set the options of model '" + source_.name + "': " + call.failure().text};
}

void SessionFactory::open(OrtCalls& call, const ort::SessionOptions* options,
                          ort::Session** session) const {
  if (source_.bytes.empty()) {
    const std::filesystem::path path(std::u8string(source_.path.begin(), source_.path.end()));
    call(ort::kCreateSession, library_.env(), path.c_str(), options, session);
  } else {
    call(ort::kCreateSessionFromArray, library_.env(), source_.bytes.data(), source_.bytes.size(),
         options, session);
  }
}

Error SessionFactory::load_error(const OrtCalls& call) const {
  if (call.failure().code == ort::Code::kModelLoadCanceled) {
    return {ErrorCode::kCancelled,
            "loading model '" + source_.name + "' was cancelled: " + call.failure().text};
  }
  return {ErrorCode::kModelLoad,
          "cannot load model '" + source_.name + "': " + call.failure().text};
}

}  // namespace millrace
