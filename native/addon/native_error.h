// Errors on their way to JavaScript: an Error whose `code` is one of src/errors.ts.
// src/native/native-error.ts makes a MillraceError of it.
#pragma once

#include <napi.h>

#include "base/result.h"

namespace millrace {

const char* code_name(ErrorCode code);

Napi::Error to_js_error(Napi::Env env, const Error& error);

// In a catch block of a background job: what the standard library threw (no memory, no thread), as
// a value. The core throws nothing of its own.
Error caught_error();

}  // namespace millrace
