// Batches that are launched as CUDA graphs: the same answers with fewer calls, few sizes, and calls
// one by one wherever the driver makes no graph.
#include "cuda/cuda_graphs.h"

#include <atomic>

#include "cuda_chain.h"
#include "model/fallback_model.h"

namespace millrace {
namespace {

constexpr int kOutOfMemoryCode = 2;
constexpr int kInvalidated = 901;
constexpr int kLost = 719;

CudaModelOptions with_graphs(CudaModelOptions options = kernel_options()) {
  options.graphs = true;
  return options;
}

class CudaGraphsTest : public CudaHandingTest {
 protected:
  [[nodiscard]] int instantiated() const { return count_of("cuGraphInstantiateWithFlags"); }
  [[nodiscard]] int graph_launches() const { return count_of("cuGraphLaunch"); }

  // Lines that are calls.
  [[nodiscard]] int calls() const {
    const int operations = count_of("  stream ");
    return count_of("\n") - operations;
  }

  // Calls that running a batch of so many rows takes, once it was run before.
  int calls_of_a_batch(Runner& runner, std::size_t rows) {
    const KernelRows given(rows, 3);
    RunResult result;
    expect_ok(runner.run(given.batch(), result));
    const int before = calls();
    expect_ok(runner.run(given.batch(), result));
    EXPECT_TRUE(given.doubled(result));
    return calls() - before;
  }

  // A batch that is right and not a graph, and how often one was tried to be made by then.
  void expect_plain(Runner& runner, std::size_t rows) {
    const KernelRows given(rows, 7);
    RunResult result;
    expect_ok(runner.run(given.batch(), result));
    EXPECT_TRUE(given.doubled(result));
    EXPECT_FALSE(result.as_graph);
  }
};

TEST(GraphSizes, ArePowersOfTwoAndTheLargestBatch) {
  std::vector<std::size_t> sizes;
  for (std::size_t rows = 1; rows <= 24; ++rows) {
    if (is_graph_size(rows, 24)) sizes.push_back(rows);
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 2, 4, 8, 16, 24}));
}

TEST_F(CudaGraphsTest, AnswerAsBatchesWithoutThemDo) {
  const auto plain = kernel_runner(kernel_model(), 9);
  const auto graphs = kernel_runner(kernel_model(with_graphs()), 9);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t rows = 1; rows <= 9; ++rows) {
      const KernelRows given(rows, static_cast<float>(round) * 100 + static_cast<float>(rows));
      RunResult result;
      expect_ok(plain->run(given.batch(), result));
      EXPECT_TRUE(given.doubled(result));
      EXPECT_FALSE(result.as_graph);
      expect_ok(graphs->run(given.batch(), result));
      EXPECT_TRUE(given.doubled(result)) << rows << " rows, round " << round;
      EXPECT_EQ(result.as_graph, is_graph_size(rows, 9));
    }
  }
}

TEST_F(CudaGraphsTest, TakeTwoCallsForABatchInPlaceOfFour) {
  const auto plain = kernel_runner(kernel_model());
  EXPECT_EQ(calls_of_a_batch(*plain, 4), 4);  // copy, launch, copy, event
  const auto graphs = kernel_runner(kernel_model(with_graphs()));
  EXPECT_EQ(calls_of_a_batch(*graphs, 4), 2);  // graph, event
}

TEST_F(CudaGraphsTest, AreMadeOnceForEachSizeThatIsSeenAndGoWithTheRunner) {
  auto runner = kernel_runner(kernel_model(with_graphs()), 12);
  EXPECT_EQ(instantiated(), 0);
  RunResult result;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t rows = 1; rows <= 12; ++rows)
      expect_ok(runner->run(KernelRows(rows, 1).batch(), result));
  }
  EXPECT_EQ(instantiated(), 5);  // 1, 2, 4, 8, 12
  EXPECT_EQ(graph_launches(), 15);
  runner.reset();
  EXPECT_EQ(count_of("cuGraphExecDestroy"), 5);
}

TEST_F(CudaGraphsTest, AreOfEachSlot) {
  const auto runner = kernel_runner(kernel_model(with_graphs()));
  const KernelRows one(2, 1);
  const KernelRows two(2, 10);
  struct Ends final : RunListener {
    void run_ended() noexcept override { ++count; }
    std::atomic<int> count{0};
  } ends;
  control_->hold(true);
  expect_ok(runner->begin(one.batch(), 0, ends));
  expect_ok(runner->begin(two.batch(), 1, ends));
  release_device();
  EXPECT_TRUE(eventually([&] { return ends.count == 2; }));
  RunResult result;
  expect_ok(runner->finish(0, result));
  EXPECT_TRUE(one.doubled(result));
  expect_ok(runner->finish(1, result));
  EXPECT_TRUE(two.doubled(result));
  EXPECT_EQ(instantiated(), 2);
}

TEST_F(CudaGraphsTest, CopyInputsOfTheirOwnCallWhereTheyAreLarge) {
  const auto runner = kernel_runner(kernel_model(with_graphs()), 8192);
  EXPECT_EQ(calls_of_a_batch(*runner, 4096), 2);
  EXPECT_EQ(count_of("cuGraphInstantiateWithFlags 3"), 1);  // copy, kernel, copy
  EXPECT_EQ(calls_of_a_batch(*runner, 8192), 3);
  EXPECT_EQ(count_of("cuGraphInstantiateWithFlags 2"), 1);  // kernel, copy
}

TEST_F(CudaGraphsTest, TakeInputsFromWhereverTheyLieEachTime) {
  const auto runner = kernel_runner(kernel_model(with_graphs()), 2);
  RunResult result;
  for (const float first : {1.0F, 20.0F, 300.0F}) {
    const auto given = std::make_unique<KernelRows>(2, first);
    expect_ok(runner->run(given->batch(), result));
    EXPECT_TRUE(given->doubled(result));
    EXPECT_TRUE(result.as_graph);
  }
}

TEST_F(CudaGraphsTest, ADriverThatMakesNoneIsAskedOnceForASizeAndGivenItCallByCall) {
  for (const char* call : {"cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuMemcpyHtoDAsync_v2",
                           "cuLaunchKernel", "cuGraphInstantiateWithFlags", "cuGraphLaunch"}) {
    control_->reset();
    const auto runner = kernel_runner(kernel_model(with_graphs()));
    control_->fail(call, kOutOfMemoryCode, 0);
    for (int round = 0; round < 3; ++round) expect_plain(*runner, 4);
    EXPECT_EQ(count_of("cuStreamBeginCapture_v2"), 1) << call;
    EXPECT_EQ(calls_of_a_batch(*runner, 4), 4) << call;
    EXPECT_EQ(calls_of_a_batch(*runner, 2), 2) << call << ": another size is tried";
  }
}

TEST_F(CudaGraphsTest, AnyOtherErrorOfRecordingIsNoErrorOfTheBatch) {
  const auto runner = kernel_runner(kernel_model(with_graphs()));
  control_->fail("cuStreamEndCapture", kInvalidated, 0);
  expect_plain(*runner, 4);
}

TEST_F(CudaGraphsTest, ADeviceIsLostWhileOneIsRecordedLaunchedOrRun) {
  for (const char* call :
       {"cuStreamBeginCapture_v2", "cuGraphInstantiateWithFlags", "cuGraphLaunch", "kernel"}) {
    control_->reset();
    const auto runner = kernel_runner(kernel_model(with_graphs()));
    control_->fail(call, kLost, 0);
    RunResult result;
    const Status status = runner->run(KernelRows(4, 1).batch(), result);
    ASSERT_FALSE(status.ok()) << call;
    EXPECT_EQ(status.error().code, ErrorCode::kDeviceLost) << call;
    EXPECT_NE(status.error().message.find("CUDA device 0 is lost to this process"),
              std::string::npos);
  }
}

TEST_F(CudaGraphsTest, ALaunchThatFailsOtherwiseFailsItsBatchAlone) {
  const auto runner = kernel_runner(kernel_model(with_graphs()));
  control_->fail("cuGraphLaunch", 1, 0);
  RunResult result;
  const Status status = runner->run(KernelRows(4, 1).batch(), result);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "kernel twice_rows: cuGraphLaunch: CUDA_ERROR_INVALID_VALUE");
  const KernelRows next(4, 2);
  expect_ok(runner->run(next.batch(), result));
  EXPECT_TRUE(next.doubled(result));
  EXPECT_TRUE(result.as_graph);
}

TEST_F(CudaGraphsTest, ADriverWithoutThemIsRefusedWhereTheyAreAskedForAndOnlyThere) {
  const CudaKernelLibraries libraries{MILLRACE_CUDA_DOUBLE_NO_GRAPHS, MILLRACE_NVRTC_DOUBLE};
  EXPECT_TRUE(CudaModel::load(libraries, ptx_source(), kernel_options()).ok());
  const auto refused = CudaModel::load(libraries, ptx_source(), with_graphs());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kModelLoad);
  EXPECT_EQ(refused.error().message,
            "kernel twice_rows: '" MILLRACE_CUDA_DOUBLE_NO_GRAPHS
            "' does not export cuStreamBeginCapture_v2, which CUDA graphs need (graphs: true): "
            "install a newer driver, or leave them out");
}

TEST_F(CudaGraphsTest, AnEngineCountsBatchesThatWereOnes) {
  // Rows that are all there before anybody serves make one batch.
  const auto graphs_of = [&](const std::vector<float>& rows) {
    PipelineSpec spec = closed(kernel_pipeline(kernel_model(with_graphs()), 8));
    spec.warm_up = true;
    EngineHarness harness(std::move(spec));
    const auto index = harness.submit(rows);
    expect_ok(harness.engine().scale(0, 1));
    EXPECT_TRUE(doubled(harness.answer(index), rows));
    EXPECT_EQ(harness.stage().batches, 1U);
    return harness.stage().as_graphs;
  };
  EXPECT_EQ(graphs_of({1, 2, 3, 4}), 1U);
  EXPECT_EQ(graphs_of({1, 2, 3}), 0U);
}

TEST_F(CudaGraphsTest, AFallbackThatTakesOverCountsNone) {
  const auto fallback = fake_adding(100);
  EngineHarness harness(
      kernel_pipeline(std::make_shared<FallbackModel>(kernel_model(with_graphs()), fallback), 8));
  EXPECT_TRUE(doubled(harness.infer({1}), {1}));
  control_->fail("kernel", kLost, 0);
  EXPECT_EQ(harness.infer({2}).outcome, Outcome::kFailed);
  EXPECT_TRUE(adds(harness.infer({3, 4}), {3, 4}, 100));
  EXPECT_EQ(harness.stage().as_graphs, 1U);
}

TEST_F(CudaGraphsTest, BatchesThatReadOrLeaveRowsInBlocksAreNone) {
  const auto model = [] { return kernel_model(with_graphs()); };
  EngineHarness harness(kernel_chain({model(), model(), model()}));
  for (const float first : {1.0F, 5.0F})
    EXPECT_TRUE(multiplied(harness.infer({first, 2}), {first, 2}, 8));
  for (const std::size_t stage : {0U, 1U, 2U}) {
    EXPECT_GE(harness.stage(stage).batches, 2U);
    EXPECT_EQ(harness.stage(stage).as_graphs, 0U);
  }
}

TEST_F(CudaGraphsTest, WhereThereIsNoRoomForABlockTheyCome) {
  const auto first = kernel_model(with_graphs(limited(0)));
  EngineHarness harness(kernel_chain({first, kernel_model(with_graphs())}));
  EXPECT_TRUE(multiplied(harness.infer({1, 2}), {1, 2}, 4));
  EXPECT_GE(harness.stage(0).as_graphs, 1U);  // two where the rows did not come together
  EXPECT_EQ(harness.stage(1).as_graphs, 0U);  // it reads a block of the host
}

TEST_F(CudaGraphsTest, ManyRequestsOfSeveralReplicasAreAllAnsweredRight) {
  PipelineSpec spec = kernel_pipeline(kernel_model(with_graphs()), 4);
  spec.stages[0].replicas = 3;
  EngineHarness harness(std::move(spec));
  std::vector<std::uint32_t> indices;
  for (int i = 0; i < 400; ++i) indices.push_back(harness.submit({static_cast<float>(i), 1}));
  for (int i = 0; i < 400; ++i) {
    EXPECT_TRUE(
        doubled(harness.answer(indices[static_cast<std::size_t>(i)]), {static_cast<float>(i), 1}));
  }
  EXPECT_EQ(harness.stage().rows, 800U);
  EXPECT_GT(harness.stage().as_graphs, 0U);
  EXPECT_LE(instantiated(), 3 * 2 * 3);  // replicas, slots, sizes
}

}  // namespace
}  // namespace millrace
