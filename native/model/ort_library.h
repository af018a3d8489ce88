// libonnxruntime, loaded at run time from the file the caller names (the one in the
// onnxruntime-node package).
//
// One to a process, made by the first load() that succeeds, shared by every thread and never
// unloaded: ONNX Runtime keeps thread-local and static state that does not survive being unloaded
// or destroyed while the process exits. The environment is leaked for the same reason. All members
// are immutable after load() and safe from any thread.
//
// Not promised: that this copy is the only one. Another version that the application loaded earlier
// keeps working beside ours (see foreign_copies); an application that loads another version
// *later*, by a bare name, may be given ours by the system's loader and fail.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace millrace {

namespace ort {
class Api;
struct Allocator;
struct Env;
struct MemoryInfo;
}  // namespace ort

struct OrtLibrarySource {
  std::string path;     // absolute, UTF-8
  std::string version;  // the exact version that must be found there, such as "1.30.0"
};

class OrtLibrary {
 public:
  // The library, loaded on the first call. Later calls that want the same version get the copy
  // already loaded, whatever their path; a failed load leaves nothing behind and may be tried
  // again. Errors are kModelLoad. Takes tens of milliseconds the first time.
  static Result<const OrtLibrary*> load(const OrtLibrarySource& source);

  OrtLibrary(const OrtLibrary&) = delete;
  OrtLibrary& operator=(const OrtLibrary&) = delete;

  const std::string& path() const { return path_; }
  const std::string& version() const { return version_; }

  // Files of other copies of ONNX Runtime that were in the process when this one was loaded.
  const std::vector<std::string>& foreign_copies() const { return foreign_copies_; }

  const ort::Api& api() const { return *api_; }
  ort::Env* env() const { return env_; }
  ort::MemoryInfo* cpu_memory() const { return cpu_memory_; }
  ort::Allocator* allocator() const { return allocator_; }

 private:
  explicit OrtLibrary(const OrtLibrarySource& source)
      : path_(source.path), version_(source.version) {}
  Status open();

  std::string path_;
  std::string version_;
  std::vector<std::string> foreign_copies_;
  const ort::Api* api_ = nullptr;
  ort::Env* env_ = nullptr;
  ort::MemoryInfo* cpu_memory_ = nullptr;
  ort::Allocator* allocator_ = nullptr;
};

}  // namespace millrace
