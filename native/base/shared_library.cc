#include "base/shared_library.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif
#if defined(__APPLE__)
#include <mach-o/dyld.h>
#elif defined(__linux__)
#include <fstream>
#endif

namespace millrace {
namespace {

std::filesystem::path as_path(const std::string& utf8) {
  return {std::u8string(utf8.begin(), utf8.end())};
}

std::string as_utf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

#if defined(_WIN32)

std::string file_of_module(HMODULE module) {
  std::wstring name(32768, L'\0');
  const DWORD length = GetModuleFileNameW(module, name.data(), static_cast<DWORD>(name.size()));
  name.resize(length);
  return as_utf8(std::filesystem::path(name));
}

// Windows finds a module by its base name, so there is one to know of.
std::vector<std::string> loaded_files(std::string_view stem) {
  const std::filesystem::path name = as_path(std::string(stem) + ".dll");
  HMODULE module = GetModuleHandleW(name.c_str());
  if (module == nullptr) return {};
  return {file_of_module(module)};
}

#elif defined(__APPLE__)

std::vector<std::string> loaded_files(std::string_view) {
  std::vector<std::string> files;
  for (std::uint32_t i = 0; i < _dyld_image_count(); ++i) {
    if (const char* name = _dyld_get_image_name(i)) files.emplace_back(name);
  }
  return files;
}

#elif defined(__linux__)

// A line of maps is "address perms offset device inode      path"; one file has several lines.
std::vector<std::string> loaded_files(std::string_view) {
  std::vector<std::string> files;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::size_t start = line.find('/');
    if (start == std::string::npos) continue;
    std::string file = line.substr(start);
    if (files.empty() || files.back() != file) files.push_back(std::move(file));
  }
  return files;
}

#else

std::vector<std::string> loaded_files(std::string_view) {
  return {};
}

#endif

// libNAME.so.1, libNAME.1.30.0.dylib, NAME.dll, but not libNAME_providers_shared.so.
bool is_library_named(const std::string& file, std::string_view stem) {
  std::string name = as_utf8(as_path(file).filename());
  if (name.starts_with("lib")) name.erase(0, 3);
  return name.starts_with(stem) && name.size() > stem.size() && name[stem.size()] == '.';
}

}  // namespace

#if defined(_WIN32)

Result<SharedLibrary> SharedLibrary::open(const std::string& path) {
  // The altered search path finds the DLLs that lie beside the library (DirectML).
  HMODULE module = LoadLibraryExW(as_path(path).c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
  if (module == nullptr) {
    const std::error_code error(static_cast<int>(GetLastError()), std::system_category());
    return Error{ErrorCode::kModelLoad, "'" + path + "': " + error.message()};
  }
  return SharedLibrary(module);
}

AnyFunction SharedLibrary::symbol(const char* name) const {
  return reinterpret_cast<AnyFunction>(GetProcAddress(static_cast<HMODULE>(handle_), name));
}

std::string file_of_function(AnyFunction function) {
  HMODULE module = nullptr;
  const DWORD flags =
      GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
  if (!GetModuleHandleExW(flags, reinterpret_cast<LPCWSTR>(function), &module)) return {};
  return file_of_module(module);
}

#else

Result<SharedLibrary> SharedLibrary::open(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return Error{ErrorCode::kModelLoad, dlerror()};  // the text names the file
  return SharedLibrary(handle);
}

AnyFunction SharedLibrary::symbol(const char* name) const {
  return reinterpret_cast<AnyFunction>(dlsym(handle_, name));
}

std::string file_of_function(AnyFunction function) {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(function), &info) == 0 || info.dli_fname == nullptr) return {};
  return info.dli_fname;
}

#endif

std::vector<std::string> loaded_libraries_like(std::string_view stem, const std::string& except) {
  std::vector<std::string> found;
  for (std::string& file : loaded_files(stem)) {
    if (!is_library_named(file, stem) || same_file(file, except)) continue;
    if (std::find(found.begin(), found.end(), file) == found.end())
      found.push_back(std::move(file));
  }
  return found;
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;  // a file that is gone is the same as no other
  return a == b || std::filesystem::equivalent(as_path(a), as_path(b), ignored);
}

}  // namespace millrace
