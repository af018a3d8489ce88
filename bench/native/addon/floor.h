// The least that answering a request through an addon can cost: a row is copied in, the event loop
// is woken once for all rows that wait, they are copied out together and one call into JavaScript
// settles their promises in the order of submission. No queue, no engine, no other thread.
//
//   waiting_   | row | row | row | ...     filled by submit
//   payload    | row | row | row | ...     filled by the wake; JavaScript reads it before it
//   returns
//
// Owner thread only: that of the environment, which stays alive until close(). Nothing may be
// called after close(): it frees the floor.
#pragma once

#include <napi.h>

#include <cstddef>
#include <vector>

namespace millrace {

class Floor {
 public:
  // createFloor({payload: ArrayBuffer, rowBytes: number, onSettled: (rows: number) => void}):
  //   {submit(row: TypedArray): void, close(): void}
  // As many rows as fit the payload may wait at once; submit throws for one more, and for a row of
  // another size.
  static Napi::Value create(const Napi::CallbackInfo& info);

 private:
  Floor(Napi::Env env, const Napi::Object& options);

  static napi_value submit(napi_env env, napi_callback_info info);
  static void call_js(napi_env env, napi_value on_settled, void* context, void* data);
  static void destroy(napi_env env, void* floor, void* hint);
  bool add(napi_env env, napi_value row);
  void settle(napi_env env, napi_value on_settled);
  void close();

  std::size_t row_bytes_;
  std::size_t capacity_;  // rows
  std::size_t rows_ = 0;  // waiting
  std::vector<std::byte> waiting_;
  Napi::Reference<Napi::ArrayBuffer> payload_buffer_;
  std::byte* payload_;
  napi_threadsafe_function wake_ = nullptr;
};

}  // namespace millrace
