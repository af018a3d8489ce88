#include "floor.h"

#include <cstring>

namespace millrace {

Floor::Floor(Napi::Env env, const Napi::Object& options)
    : row_bytes_(options.Get("rowBytes").As<Napi::Number>().Uint32Value()) {
  auto payload = options.Get("payload").As<Napi::ArrayBuffer>();
  if (row_bytes_ == 0 || payload.ByteLength() < row_bytes_) {
    throw Napi::RangeError::New(env, "createFloor: the payload must hold at least one row");
  }
  capacity_ = payload.ByteLength() / row_bytes_;
  waiting_.resize(capacity_ * row_bytes_);
  payload_buffer_ = Napi::Reference<Napi::ArrayBuffer>::New(payload, 1);
  payload_ = static_cast<std::byte*>(payload.Data());
  const Napi::String name = Napi::String::New(env, "millrace bench floor");
  const napi_status status =
      napi_create_threadsafe_function(env, options.Get("onSettled"), nullptr, name, 0, 1, this,
                                      &Floor::destroy, this, &Floor::call_js, &wake_);
  if (status != napi_ok) throw Napi::Error::New(env, "could not attach to the event loop");
}

Napi::Value Floor::create(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto* const floor = new Floor(env, info[0].As<Napi::Object>());
  napi_value submit = nullptr;
  // Its data is the floor itself: cheaper for every call than to unwrap a receiver.
  napi_create_function(env, "submit", NAPI_AUTO_LENGTH, &Floor::submit, floor, &submit);
  Napi::Object handle = Napi::Object::New(env);
  handle.Set("submit", submit);
  handle.Set("close",
             Napi::Function::New(env, [floor](const Napi::CallbackInfo&) { floor->close(); }));
  return handle;
}

napi_value Floor::submit(napi_env env, napi_callback_info info) {
  napi_value row = nullptr;
  std::size_t count = 1;
  void* floor = nullptr;
  if (napi_get_cb_info(env, info, &count, &row, nullptr, &floor) != napi_ok || count != 1 ||
      !static_cast<Floor*>(floor)->add(env, row)) {
    napi_throw_range_error(env, nullptr, "the floor is full, or the row has another size");
  }
  return nullptr;
}

bool Floor::add(napi_env env, napi_value row) {
  napi_typedarray_type type{};
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, row, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_float32_array || length * sizeof(float) != row_bytes_ || rows_ == capacity_) {
    return false;
  }
  std::memcpy(waiting_.data() + rows_ * row_bytes_, data, row_bytes_);
  if (rows_++ == 0) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  return true;
}

void Floor::call_js(napi_env env, napi_value on_settled, void* context, void*) {
  if (env != nullptr) static_cast<Floor*>(context)->settle(env, on_settled);
}

void Floor::settle(napi_env env, napi_value on_settled) {
  std::memcpy(payload_, waiting_.data(), rows_ * row_bytes_);
  napi_value receiver = nullptr;
  napi_value rows = nullptr;
  napi_get_undefined(env, &receiver);
  napi_create_uint32(env, static_cast<std::uint32_t>(rows_), &rows);
  // Before the call: what it settles may submit again, which asks for a wake of its own.
  rows_ = 0;
  napi_call_function(env, receiver, on_settled, 1, &rows, nullptr);
}

void Floor::close() {
  napi_release_threadsafe_function(wake_, napi_tsfn_abort);
}

void Floor::destroy(napi_env, void* floor, void*) {
  delete static_cast<Floor*>(floor);
}

}  // namespace millrace
