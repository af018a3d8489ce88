#include "addon/native_error.h"

#include <exception>
#include <new>
#include <system_error>

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
    case ErrorCode::kDeviceLost:
      return "MILLRACE_DEVICE_UNAVAILABLE";
    case ErrorCode::kOutOfMemory:
      break;
  }
  return "MILLRACE_STAGE_FAILED";
}

Napi::Error to_js_error(Napi::Env env, const Error& error) {
  Napi::Error js = Napi::Error::New(env, error.message);
  js.Set("code", Napi::String::New(env, code_name(error.code)));
  return js;
}

Error caught_error() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return {ErrorCode::kInvalidOption,
            "there is not enough memory; lower maxPendingRows or the number of replicas"};
  } catch (const std::system_error& error) {
    return {ErrorCode::kInvalidOption, "the system starts no more threads (" +
                                           std::string(error.what()) +
                                           "); lower the number of replicas"};
  } catch (const std::exception& error) {
    return {ErrorCode::kStageFailed, error.what()};
  }
}

}  // namespace millrace
