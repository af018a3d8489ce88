#include "cuda/nvrtc.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/shared_library.h"

namespace millrace {
namespace {

constexpr int kSuccess = 0;

#if defined(_WIN32)
constexpr const char* kSystemFiles[] = {"nvrtc64_130_0.dll", "nvrtc64_120_0.dll",
                                        "nvrtc64_112_0.dll"};
#else
constexpr const char* kSystemFiles[] = {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2",
                                        "libnvrtc.so", "/usr/local/cuda/lib64/libnvrtc.so"};
#endif

}  // namespace

// The functions of the library that are called, by their exported names.
struct Nvrtc::Table {
  using Handle = struct Opaque*;
  int (*version)(int*, int*) = nullptr;
  const char* (*error_text)(int) = nullptr;
  int (*target_count)(int*) = nullptr;
  int (*targets)(int*) = nullptr;
  int (*create)(Handle*, const char*, const char*, int, const char* const*,
                const char* const*) = nullptr;
  int (*destroy)(Handle*) = nullptr;
  int (*compile)(Handle, int, const char* const*) = nullptr;
  int (*ask_for)(Handle, const char*) = nullptr;
  int (*mangled)(Handle, const char*, const char**) = nullptr;
  int (*log_bytes)(Handle, std::size_t*) = nullptr;
  int (*log)(Handle, char*) = nullptr;
  int (*ptx_bytes)(Handle, std::size_t*) = nullptr;
  int (*ptx)(Handle, char*) = nullptr;
  int (*binary_bytes)(Handle, std::size_t*) = nullptr;
  int (*binary)(Handle, char*) = nullptr;
};

std::string nvrtc_target(int capability, std::span<const int> known) {
  const auto after = std::ranges::upper_bound(known, capability);
  if (after == known.begin()) return {};
  const int nearest = *(after - 1);
  return (nearest == capability ? "sm_" : "compute_") + std::to_string(nearest);
}

Result<const Nvrtc*> Nvrtc::load(const std::string& path) {
  static std::mutex mutex;
  static auto* const loaded = new std::map<std::string, const Nvrtc*>;
  const std::lock_guard lock(mutex);
  const auto found = loaded->find(path);
  if (found != loaded->end()) return found->second;
  std::string tried;
  const std::string given[] = {path};
  std::vector<std::string> files(std::begin(kSystemFiles), std::end(kSystemFiles));
  if (!path.empty()) files.assign(std::begin(given), std::end(given));
  for (const std::string& file : files) {
    const Result<const Nvrtc*> opened = open(file);
    if (opened.ok()) return (*loaded)[path] = opened.value();
    tried += (tried.empty() ? "" : "; ") + opened.error().message;
  }
  return Error{ErrorCode::kModelLoad, "NVIDIA's run-time compiler (NVRTC) was not found: " + tried};
}

Result<const Nvrtc*> Nvrtc::open(const std::string& file) {
  const Result<SharedLibrary> library = SharedLibrary::open(file);
  if (!library.ok()) return library.error();
  std::string missing;
  const auto find = [&](const char* name, auto& call) {
    call = reinterpret_cast<std::remove_reference_t<decltype(call)>>(library.value().symbol(name));
    if (call == nullptr) missing = name;
  };
  auto table = std::make_shared<Table>();
  find("nvrtcVersion", table->version);
  find("nvrtcGetErrorString", table->error_text);
  find("nvrtcGetNumSupportedArchs", table->target_count);
  find("nvrtcGetSupportedArchs", table->targets);
  find("nvrtcCreateProgram", table->create);
  find("nvrtcDestroyProgram", table->destroy);
  find("nvrtcCompileProgram", table->compile);
  find("nvrtcAddNameExpression", table->ask_for);
  find("nvrtcGetLoweredName", table->mangled);
  find("nvrtcGetProgramLogSize", table->log_bytes);
  find("nvrtcGetProgramLog", table->log);
  find("nvrtcGetPTXSize", table->ptx_bytes);
  find("nvrtcGetPTX", table->ptx);
  find("nvrtcGetCUBINSize", table->binary_bytes);
  find("nvrtcGetCUBIN", table->binary);
  if (!missing.empty()) {
    return Error{ErrorCode::kModelLoad,
                 "'" + file + "' does not export " + missing + ": it is older than CUDA 11.2"};
  }
  int major = 0;
  int minor = 0;
  table->version(&major, &minor);
  return new Nvrtc(std::move(table), std::to_string(major) + "." + std::to_string(minor));
}

// One compilation: what it makes is copied out before it ends.
class Nvrtc::Program {
 public:
  explicit Program(const Table& table) : table_(table) {}
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (handle_ != nullptr) table_.destroy(&handle_);
  }

  Status compile(const KernelSource& source, const std::string& target) {
    std::vector<std::string> options = {"--gpu-architecture=" + target, "--std=c++17"};
    for (const auto& [name, value] : source.defines)
      options.push_back(std::string("--define-macro=").append(name).append("=").append(value));
    std::vector<const char*> texts;
    texts.reserve(options.size());
    for (const std::string& option : options) texts.push_back(option.c_str());
    Status done = check(
        "nvrtcCreateProgram",
        table_.create(&handle_, source.text.c_str(), source.file.c_str(), 0, nullptr, nullptr));
    if (!done.ok()) return done;
    done = check("nvrtcAddNameExpression", table_.ask_for(handle_, source.kernel.c_str()));
    if (!done.ok()) return done;
    const int code = table_.compile(handle_, static_cast<int>(texts.size()), texts.data());
    return check("nvrtcCompileProgram", code, log());
  }

  Result<CompiledKernel> take(const KernelSource& source, bool binary) {
    CompiledKernel compiled;
    const char* name = nullptr;
    Status done =
        check("nvrtcGetLoweredName", table_.mangled(handle_, source.kernel.c_str(), &name));
    if (!done.ok()) return done.error();
    compiled.name = name;
    std::size_t bytes = 0;
    done = check("the size of the program",
                 (binary ? table_.binary_bytes : table_.ptx_bytes)(handle_, &bytes));
    if (!done.ok()) return done.error();
    compiled.image.resize(bytes);
    done =
        check("the program", (binary ? table_.binary : table_.ptx)(handle_, compiled.image.data()));
    if (!done.ok()) return done.error();
    return compiled;
  }

 private:
  std::string log() const {
    std::size_t bytes = 0;
    if (table_.log_bytes(handle_, &bytes) != kSuccess || bytes < 2) return {};
    std::string text(bytes, '\0');
    if (table_.log(handle_, text.data()) != kSuccess) return {};
    text.resize(text.find_last_not_of(std::string("\0\n ", 3)) + 1);
    return text;
  }

  Status check(const char* what, int code, const std::string& log = {}) const {
    if (code == kSuccess) return {};
    std::string message = std::string(what) + ": " + table_.error_text(code);
    if (!log.empty()) message += "\n" + log;
    return Error{ErrorCode::kModelLoad, std::move(message)};
  }

  const Table& table_;
  Table::Handle handle_ = nullptr;
};

Result<CompiledKernel> Nvrtc::compile(const KernelSource& source, int capability) const {
  int count = 0;
  table_->target_count(&count);
  std::vector<int> known(static_cast<std::size_t>(std::max(count, 0)));
  if (!known.empty()) table_->targets(known.data());
  std::ranges::sort(known);
  const std::string target = nvrtc_target(capability, known);
  if (target.empty()) {
    return Error{ErrorCode::kModelLoad,
                 "NVRTC " + version_ + " compiles for no device as old as compute capability " +
                     std::to_string(capability / 10) + "." + std::to_string(capability % 10)};
  }
  Program program(*table_);
  const Status compiled = program.compile(source, target);
  if (!compiled.ok()) return compiled.error();
  return program.take(source, target.starts_with("sm_"));
}

}  // namespace millrace
