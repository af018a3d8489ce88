#include "addon/native_error.h"

namespace millrace {

const char* code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidInput:
      return "MILLRACE_INVALID_INPUT";
    case ErrorCode::kInvalidOption:
      return "MILLRACE_INVALID_OPTION";
    case ErrorCode::kModelLoad:
      return "MILLRACE_MODEL_LOAD";
    case ErrorCode::kStageFailed:
      return "MILLRACE_STAGE_FAILED";
    case ErrorCode::kQueueFull:
      return "MILLRACE_QUEUE_FULL";
    case ErrorCode::kDeadlineExceeded:
      return "MILLRACE_DEADLINE_EXCEEDED";
    case ErrorCode::kCancelled:
      return "MILLRACE_CANCELLED";
    case ErrorCode::kClosed:
      return "MILLRACE_CLOSED";
  }
  return "MILLRACE_STAGE_FAILED";
}

Napi::Error to_js_error(Napi::Env env, const Error& error) {
  Napi::Error js = Napi::Error::New(env, error.message);
  js.Set("code", Napi::String::New(env, code_name(error.code)));
  return js;
}

}  // namespace millrace
