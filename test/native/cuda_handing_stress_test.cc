// Kernels that hand their values on under stress: see handing_stress.h.
//
//   x -> a -> b -> c -> sum      a is read by b and e on the device, b by c;
//        '--> e --------'        c and e come back to the host: y = 8 x + 4 x
#include "handing_stress.h"

namespace millrace {
namespace {

class CudaHandingStress : public HandingStress<CudaHandingTest> {
 protected:
  PipelineSpec pipeline() override {
    const auto sum = fake_adding(0, 2);
    sum->script().record = false;
    PipelineSpec spec =
        pipeline_of({stage_of("a", kernel_model(), {{from_request()}}),
                     stage_of("b", kernel_model(), {{from_stage(0, 0)}}),
                     stage_of("c", kernel_model(), {{from_stage(1, 0)}}),
                     stage_of("e", kernel_model(), {{from_stage(0, 0)}}),
                     stage_of("sum", sum, {{from_stage(2, 0)}, {from_stage(3, 0)}})},
                    {from_stage(4)});
    spec.max_pending_rows = 256;
    return spec;
  }

  [[nodiscard]] float factor() const override { return 12; }
  [[nodiscard]] int changing() const override { return 4; }
  std::shared_ptr<Model> some_model(std::size_t, det::Random& random) override {
    return some_kernel(random);
  }
};

TEST_F(CudaHandingStress, AnswersRightAndLeavesNothingOnTheDevice) {
  answers_right_and_leaves_nothing();
}

TEST_F(CudaHandingStress, LeavesNothingOnTheDeviceWhenClosedUnderLoad) {
  leaves_nothing_when_closed_under_load();
}

}  // namespace
}  // namespace millrace
