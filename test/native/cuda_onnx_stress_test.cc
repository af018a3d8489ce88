// Models of ONNX Runtime and kernels that hand their values on to each other under stress: see
// handing_stress.h.
//
//   x -> model -> kernel -> model -> sum      the first is read by all that come behind it, on the
//          '----> model --> kernel --'        device: y = 2 x + 2 x
#include "cuda_onnx.h"
#include "handing_stress.h"

namespace millrace {
namespace {

class CudaOnnxStress : public HandingStress<CudaOnnxTest> {
 protected:
  PipelineSpec pipeline() override {
    const auto sum = fake_adding(0, 2);
    sum->script().record = false;
    PipelineSpec spec =
        pipeline_of({stage_of("first", identity(), {{from_request()}}),
                     stage_of("kernel", kernel_model(), {{from_stage(0, 0)}}),
                     stage_of("model", identity(), {{from_stage(1, 0)}}),
                     stage_of("other", identity(), {{from_stage(0, 0)}}),
                     stage_of("end", kernel_model(), {{from_stage(3, 0)}}),
                     stage_of("sum", sum, {{from_stage(2, 0)}, {from_stage(4, 0)}})},
                    {from_stage(5)});
    spec.max_pending_rows = 256;
    return spec;
  }

  [[nodiscard]] float factor() const override { return 4; }
  [[nodiscard]] int changing() const override { return 5; }
  static bool is_kernel(std::size_t stage) { return stage == 1 || stage == 4; }

  std::shared_ptr<Model> some_model(std::size_t stage, det::Random& random) override {
    if (is_kernel(stage)) return some_kernel(random);
    if (random.one_in(4)) return identity({});
    if (random.one_in(2)) return identity();
    return identity(on_cuda(0, static_cast<std::size_t>(random.below(40'000))));
  }
  std::shared_ptr<Model> host_model(std::size_t stage) override {
    return is_kernel(stage) ? HandingStress::host_model(stage) : identity({});
  }

  void break_something(det::Random& random) override {
    HandingStress::break_something(random);
    if (random.one_in(6)) double_->fail_runs(static_cast<int>(random.below(4)), 1, "a node failed");
    if (random.one_in(6)) control_->fail("cuMemcpyDtoDAsync_v2", 1, random.below(4));
  }
};

TEST_F(CudaOnnxStress, AnswersRightAndLeavesNothingOnTheDevice) {
  answers_right_and_leaves_nothing();
}

TEST_F(CudaOnnxStress, LeavesNothingOnTheDeviceWhenClosedUnderLoad) {
  leaves_nothing_when_closed_under_load();
}

}  // namespace
}  // namespace millrace
