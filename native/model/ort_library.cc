#include "model/ort_library.h"

#include <mutex>

#include "base/shared_library.h"
#include "model/ort_abi.h"
#include "model/ort_call.h"

namespace millrace {
namespace {

Error load_error(std::string message) {
  return {ErrorCode::kModelLoad, std::move(message)};
}

// Why a file that did load is not the version that was asked for.
Error wrong_version(const OrtLibrarySource& wanted, const std::string& found,
                    const std::string& actual_file) {
  const std::string install = "install onnxruntime-node@" + wanted.version;
  if (!actual_file.empty() && !same_file(actual_file, wanted.path)) {
    return load_error("ONNX Runtime " + wanted.version + " was asked for from '" + wanted.path +
                      "', but the process already holds version " + found + " from '" +
                      actual_file +
                      "' and the system's loader returned that one. Make the package that loads it "
                      "use the same version (" +
                      install + "), or start millrace before it");
  }
  return load_error("ONNX Runtime " + wanted.version + " is needed, but '" + wanted.path +
                    "' is version " + found + ": " + install);
}

}  // namespace

Result<const OrtLibrary*> OrtLibrary::load(const OrtLibrarySource& source) {
  static std::mutex mutex;
  static const OrtLibrary* loaded = nullptr;
  const std::lock_guard lock(mutex);
  if (loaded != nullptr) {
    if (loaded->version_ == source.version) return loaded;
    return load_error("ONNX Runtime " + source.version +
                      " was asked for, but this process already runs millrace on version " +
                      loaded->version_ + " from '" + loaded->path_ + "'");
  }
  auto* library = new OrtLibrary(source);
  const Status opened = library->open();
  if (!opened.ok()) {
    delete library;
    return opened.error();
  }
  return loaded = library;
}

Status OrtLibrary::open() {
  foreign_copies_ = loaded_libraries_like("onnxruntime", path_);
  Result<SharedLibrary> file = SharedLibrary::open(path_);
  if (!file.ok()) return load_error("cannot load ONNX Runtime: " + file.error().message);

  auto* get_api_base = reinterpret_cast<ort::GetApiBase*>(file.value().symbol("OrtGetApiBase"));
  if (get_api_base == nullptr) {
    return load_error("'" + path_ + "' is not ONNX Runtime: it does not export OrtGetApiBase");
  }
  const ort::ApiBase* base = get_api_base();
  const std::string found = base->get_version();
  if (found != version_) {
    return wrong_version({path_, version_}, found,
                         file_of_function(reinterpret_cast<AnyFunction>(get_api_base)));
  }
  const ort::Api::AnyFunction* table = base->get_api(ort::kApiVersion);
  if (table == nullptr) {
    return load_error("'" + path_ + "' (ONNX Runtime " + found + ") does not offer version " +
                      std::to_string(ort::kApiVersion) + " of its C interface");
  }
  api_ = new ort::Api(table);  // leaked with the library

  OrtCalls call(*api_);
  call(ort::kCreateEnv, ort::LogLevel::kError, "millrace", &env_);
  call(ort::kCreateCpuMemoryInfo, ort::AllocatorKind::kDevice, ort::MemoryKind::kDefault,
       &cpu_memory_);
  call(ort::kGetAllocatorWithDefaultOptions, &allocator_);
  if (call.failed())
    return load_error("cannot start ONNX Runtime from '" + path_ + "': " + call.failure().text);
  return {};
}

}  // namespace millrace
