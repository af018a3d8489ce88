// What the cuda_* tests share: the test double of the driver, told what to do, and a context on it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/shared_library.h"
#include "cuda/cuda_context.h"
#include "cuda/cuda_driver.h"
#include "cuda_double.h"

namespace millrace {

class CudaTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto library = SharedLibrary::open(MILLRACE_CUDA_DOUBLE);
    ASSERT_TRUE(library.ok()) << library.error().message;
    const AnyFunction get = library.value().symbol(kCudaDoubleGetControl);
    ASSERT_NE(get, nullptr);
    control_ = reinterpret_cast<CudaDoubleGetControl*>(get)();
    control_->reset();
    const auto driver = CudaDriver::load(MILLRACE_CUDA_DOUBLE);
    ASSERT_TRUE(driver.ok()) << driver.error().message;
    driver_ = driver.value();
  }

  // Whatever a test did, and however it went wrong, nothing is left.
  void TearDown() override { EXPECT_EQ(control_->alive(), 0) << control_->record(); }

  std::shared_ptr<const CudaContext> open(int index = 0) {
    auto context = CudaContext::open(*driver_, index);
    if (context.ok()) return context.value();
    ADD_FAILURE() << context.error().message;
    return nullptr;
  }

  const CudaDoubleControl* control_ = nullptr;
  const CudaDriver* driver_ = nullptr;
};

// The value of a result that must be one.
template <class T>
T value_of(Result<T> result) {
  if (!result.ok()) ADD_FAILURE() << result.error().message;
  return result.ok() ? std::move(result.value()) : T{};
}

inline void expect_ok(const Status& status) {
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
}

}  // namespace millrace
