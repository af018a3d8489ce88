// Built by process.test.ts into a library that other ONNX Runtimes are mistaken for: the name and the one export of the
// real thing, and a version of long ago.
#include <stdint.h>

struct OrtApiBase {
  const void* (*get_api)(uint32_t version);
  const char* (*get_version_string)(void);
};

static const void* get_api(uint32_t version) {
  (void)version;
  return 0;
}

static const char* get_version_string(void) { return "1.2.3"; }

__attribute__((visibility("default"))) const struct OrtApiBase* OrtGetApiBase(void) {
  static const struct OrtApiBase base = {get_api, get_version_string};
  return &base;
}
