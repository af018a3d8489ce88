// The test double of NVIDIA's run-time compiler. What it "compiles" is a text that says what for
// and with which options; it fails where the source has an #error, which is its log, or does not
// contain the kernel. Names are mangled as C++ mangles a plain function without parameters.
#include <cstddef>
#include <cstring>
#include <string>

namespace {

constexpr int kCompilation = 6;

struct Program {
  std::string text;
  std::string file;
  std::string kernel;
  std::string mangled;
  std::string log;
  std::string made;
};

int give(const std::string& text, char* to) {
  std::memcpy(to, text.c_str(), text.size() + 1);
  return 0;
}

int fail(Program& program, const std::string& problem) {
  program.log = program.file + "(1): error: " + problem + "\n";
  return kCompilation;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int nvrtcVersion(int* major, int* minor) {
  *major = 12;
  *minor = 4;
  return 0;
}

EXPORT const char* nvrtcGetErrorString(int code) {
  return code == kCompilation ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR_INVALID_INPUT";
}

EXPORT int nvrtcGetNumSupportedArchs(int* count) {
  *count = 3;
  return 0;
}

EXPORT int nvrtcGetSupportedArchs(int* known) {
  known[0] = 75;
  known[1] = 80;
  known[2] = 90;
  return 0;
}

EXPORT int nvrtcCreateProgram(Program** program, const char* text, const char* file, int,
                              const char* const*, const char* const*) {
  *program = new Program{text, file, {}, {}, {}, {}};
  return 0;
}

EXPORT int nvrtcDestroyProgram(Program** program) {
  delete *program;
  *program = nullptr;
  return 0;
}

EXPORT int nvrtcAddNameExpression(Program* program, const char* name) {
  program->kernel = name;
  program->mangled = "_Z" + std::to_string(program->kernel.size()) + name;
  return 0;
}

EXPORT int nvrtcCompileProgram(Program* program, int count, const char* const* options) {
  const std::size_t error = program->text.find("#error ");
  if (error != std::string::npos) return fail(*program, program->text.substr(error + 7));
  if (program->text.find(program->kernel) == std::string::npos)
    return fail(*program, "identifier \"" + program->kernel + "\" is undefined");
  program->made = program->mangled + "\n";
  for (int i = 0; i < count; ++i) program->made += std::string(options[i]) + "\n";
  return 0;
}

EXPORT int nvrtcGetLoweredName(Program* program, const char*, const char** name) {
  *name = program->mangled.c_str();
  return 0;
}

EXPORT int nvrtcGetProgramLogSize(Program* program, std::size_t* bytes) {
  *bytes = program->log.size() + 1;
  return 0;
}

EXPORT int nvrtcGetProgramLog(Program* program, char* log) {
  return give(program->log, log);
}

EXPORT int nvrtcGetPTXSize(Program* program, std::size_t* bytes) {
  *bytes = program->made.size() + 1;
  return 0;
}

EXPORT int nvrtcGetPTX(Program* program, char* ptx) {
  return give(program->made, ptx);
}

EXPORT int nvrtcGetCUBINSize(Program* program, std::size_t* bytes) {
  *bytes = program->made.size() + 1;
  return 0;
}

EXPORT int nvrtcGetCUBIN(Program* program, char* binary) {
  return give(program->made, binary);
}
