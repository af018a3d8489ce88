// The operating system's loader of shared libraries: open by absolute path, look up, and ask what
// is loaded already. Libraries are never closed. Safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace {

using AnyFunction = void (*)();

class SharedLibrary {
 public:
  // Binds everything at once and keeps the symbols out of everybody else's way. `path` is UTF-8.
  static Result<SharedLibrary> open(const std::string& path);

  // Null when the library does not export it.
  AnyFunction symbol(const char* name) const;

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  void* handle_;
};

// The file that a function was loaded from; empty where the system does not say.
std::string file_of_function(AnyFunction function);

// Files loaded in this process named [lib]`stem` plus an extension or version, other than `except`.
std::vector<std::string> loaded_libraries_like(std::string_view stem, const std::string& except);

bool same_file(const std::string& a, const std::string& b);

}  // namespace millrace
