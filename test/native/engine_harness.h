// An engine of fake models, driven as the event loop drives it: the test's thread is the owner.
//
// Pipelines, all with one request input "x" (float32, 4 a row) and one output "y", from fake models
// that add a number of their own:
//
//   single    x -> a                        y = x + 1
//   cascade   x -> fast, accurate where     y = x + 100 for rows whose first element is below 0.5,
//             fast.score is below 0.5           x + 1 for the others
//   diamond   x -> a -> b, c -> d           y = (x + 1 + 10) + (x + 1 + 100) + 1000
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "each_settled.h"
#include "engine/engine.h"
#include "engine/output.h"
#include "fake_model.h"

namespace millrace {

inline constexpr Nanos kMs = kNanosPerMilli;
inline constexpr std::size_t kWidth = 4;

inline Source from_request(std::uint32_t index = 0) {
  return {true, 0, index};
}
inline Source from_stage(std::uint32_t stage, std::uint32_t output = FakeModel::kY) {
  return {false, stage, output};
}

inline std::shared_ptr<FakeModel> fake(const FakeOptions& options = {}) {
  return std::make_shared<FakeModel>(options);
}
inline std::shared_ptr<FakeModel> fake_adding(float add, std::size_t inputs = 1) {
  FakeOptions options;
  options.add = add;
  options.inputs = inputs;
  return fake(options);
}

inline StageSpec stage_of(std::string name, std::shared_ptr<Model> model,
                          std::vector<std::vector<Source>> inputs) {
  StageSpec stage;
  stage.name = std::move(name);
  stage.model = std::move(model);
  stage.inputs = std::move(inputs);
  stage.max_batch = 8;
  return stage;
}

inline std::vector<std::byte> bytes_of(float value) {
  std::vector<std::byte> bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

inline PipelineSpec pipeline_of(std::vector<StageSpec> stages, std::vector<Source> output) {
  PipelineSpec spec;
  spec.inputs = {{"x", DataType::kFloat32, {-1, static_cast<std::int64_t>(kWidth)}}};
  spec.stages = std::move(stages);
  spec.outputs = {{"y", std::move(output), bytes_of(-1), "none"}};
  return spec;
}

inline PipelineSpec single(const std::shared_ptr<FakeModel>& model) {
  return pipeline_of({stage_of("a", model, {{from_request()}})}, {from_stage(0)});
}

inline PipelineSpec cascade(const std::shared_ptr<FakeModel>& fast,
                            const std::shared_ptr<FakeModel>& accurate) {
  PipelineSpec spec = pipeline_of({stage_of("fast", fast, {{from_request()}}),
                                   stage_of("accurate", accurate, {{from_request()}})},
                                  {from_stage(1), from_stage(0)});
  spec.stages[1].condition = Condition{from_stage(0, FakeModel::kScore), 0.5, {}, {}};
  return spec;
}

struct DiamondModels {
  std::shared_ptr<FakeModel> a = fake_adding(1);
  std::shared_ptr<FakeModel> b = fake_adding(10);
  std::shared_ptr<FakeModel> c = fake_adding(100);
  std::shared_ptr<FakeModel> d = fake_adding(1000, 2);
};

inline PipelineSpec diamond(const DiamondModels& models) {
  return pipeline_of(
      {stage_of("a", models.a, {{from_request()}}), stage_of("b", models.b, {{from_stage(0)}}),
       stage_of("c", models.c, {{from_stage(0)}}),
       stage_of("d", models.d, {{from_stage(1)}, {from_stage(2)}})},
      {from_stage(3)});
}

// Rows that start with `firsts`; the other elements follow the first.
inline std::vector<float> rows_of(const std::vector<float>& firsts, std::size_t width = kWidth) {
  std::vector<float> rows;
  for (const float first : firsts) {
    for (std::size_t i = 0; i < width; ++i) rows.push_back(first + static_cast<float>(i) * 0.001f);
  }
  return rows;
}

// A visit as the owner saw it; what its state does not say to be there stays empty.
struct SeenVisit {
  VisitState state = VisitState::kNone;
  VisitPlace place;
  Nanos queued = 0;
  Nanos began = 0;
  Nanos ended = 0;
  std::uint32_t attempts = 0;
  VisitRun run;
};

inline std::vector<SeenVisit> visits_of(const Request& request) {
  std::vector<SeenVisit> seen;
  if (request.visits == nullptr) return seen;
  request.visits->each([&](const Visit& visit, VisitState state) {
    SeenVisit one{state, visit.place, visit.queued, 0, 0, 0, {}};
    if (state == VisitState::kRunning) one.began = visit.began;
    if (state > VisitState::kRunning) {
      one.ended = visit.ended;
      one.attempts = visit.attempts;
      one.run = visit.run;
      if (visit.attempts > 0) one.began = visit.began;
    }
    seen.push_back(one);
  });
  return seen;
}

struct Answer {
  Outcome outcome = Outcome::kPending;
  std::string message;
  std::string detail;
  std::uint32_t failed_stage = 0;
  std::vector<float> values;         // of the first output
  std::vector<std::string> strings;  // of the first output
  std::vector<std::int64_t> dims;    // of the first output, where it is open
  std::vector<SeenVisit> visits;     // where they are recorded
  std::uint32_t all_visits = 0;      // those left out, too
  Nanos submitted = 0;
  Nanos settled = 0;
};

// Waits for something other threads bring about. False when it takes absurdly long.
inline bool eventually(const std::function<bool()>& done) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return true;
}

class EngineHarness {
 public:
  using Refusal = SubmitResult::Refusal;

  explicit EngineHarness(PipelineSpec spec) {
    auto created = Engine::create(std::move(spec), clock, [this] { ++wake_ups; });
    if (!created.ok()) {
      ADD_FAILURE() << created.error().message;
      std::abort();
    }
    engine_ = std::move(created.value());
    output_ = std::make_unique<OutputLayout>(engine_->spec().outputs[0], engine_->layout());
  }

  Engine& engine() { return *engine_; }
  void destroy() { engine_.reset(); }
  [[nodiscard]] Nanos in(Nanos left) const { return clock.now() + left; }

  SubmitResult try_submit(const std::vector<float>& firsts, SubmitOptions options = {}) {
    const std::vector<float> rows = rows_of(firsts);
    CallerInput input;
    input.data = reinterpret_cast<const std::byte*>(rows.data());
    input.row_bytes = kWidth * sizeof(float);
    options.rows = static_cast<std::uint32_t>(firsts.size());
    return engine_->submit(options, {&input, 1});
  }

  std::uint32_t submit(const std::vector<float>& firsts, const SubmitOptions& options = {}) {
    const SubmitResult result = try_submit(firsts, options);
    EXPECT_EQ(result.refusal, Refusal::kNone);
    return result.index;
  }

  std::uint32_t submit_open(const std::vector<float>& row, std::vector<std::int64_t> row_dims) {
    CallerInput input;
    input.data = reinterpret_cast<const std::byte*>(row.data());
    input.row_bytes = row.size() * sizeof(float);
    input.row_elements = row.size();
    input.row_dims = std::move(row_dims);
    return accepted(engine_->submit({}, {&input, 1}));
  }

  std::uint32_t submit_strings(const std::vector<std::string>& rows) {
    CallerInput input;
    input.strings = rows.data();
    input.row_elements = 1;
    input.row_dims = {1};
    SubmitOptions options;
    options.rows = static_cast<std::uint32_t>(rows.size());
    return accepted(engine_->submit(options, {&input, 1}));
  }

  // What the event loop does when it is woken.
  std::size_t collect() {
    return each_settled(*engine_, [this](const Request& request) {
      EXPECT_EQ(answers_.count(request.index()), 0u) << "collected twice";
      answers_[request.index()] = read(request);
      order.push_back(request.index());
    });
  }

  // Collects, and expires where the test asked for it, until the request is answered.
  Answer answer(std::uint32_t index) {
    const bool came = eventually([&] {
      if (expires) engine_->expire();
      collect();
      return answers_.count(index) > 0;
    });
    if (!came) {
      ADD_FAILURE() << "request " << index << " is never answered";
      std::abort();
    }
    Answer answer = std::move(answers_[index]);
    answers_.erase(index);
    return answer;
  }

  bool answered(std::uint32_t index) {
    collect();
    return answers_.count(index) > 0;
  }

  // Submits one request and waits for it.
  Answer infer(const std::vector<float>& firsts, const SubmitOptions& options = {}) {
    return answer(submit(firsts, options));
  }

  // Until every row has left the pipeline, also those of requests that were answered early.
  bool drained() {
    return eventually([&] { return engine_->stats().pending_rows == 0; });
  }

  StageStats stage(std::size_t index = 0) { return engine_->stats().stages[index]; }

  SteadyClock clock;
  std::atomic<int> wake_ups{0};
  std::vector<std::uint32_t> order;  // in which requests were collected
  bool expires = false;

 private:
  static std::uint32_t accepted(const SubmitResult& result) {
    EXPECT_EQ(result.refusal, Refusal::kNone);
    return result.index;
  }

  Answer read(const Request& request) {
    Answer answer;
    answer.outcome = request.settlement.outcome();
    answer.message = request.message;
    answer.detail = request.detail;
    answer.failed_stage = request.failed_stage;
    answer.visits = visits_of(request);
    if (request.visits != nullptr) answer.all_visits = request.visits->total();
    answer.submitted = request.submitted;
    answer.settled = request.settled_at;
    if (answer.outcome == Outcome::kCompleted) read_output(request, answer);
    return answer;
  }

  void read_output(const Request& request, Answer& answer) {
    const OutputSpec& spec = engine_->spec().outputs[0];
    if (output_->fixed) {
      answer.values.resize(request.rows() * output_->row_bytes / sizeof(float));
      read_fixed_output(spec, *output_, engine_->layout(), request,
                        reinterpret_cast<std::byte*>(answer.values.data()));
      return;
    }
    const auto blob = read_open_output(spec, *output_, engine_->layout(), request);
    if (!blob) return;
    answer.dims = blob->dims;
    answer.strings = blob->strings;
    answer.values.resize(blob->bytes.size() / sizeof(float));
    if (!blob->bytes.empty()) {
      std::memcpy(answer.values.data(), blob->bytes.data(), blob->bytes.size());
    }
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<OutputLayout> output_;
  std::map<std::uint32_t, Answer> answers_;  // collected and not yet asked for
};

// Whether y is the rows with these numbers added, row by row.
inline testing::AssertionResult adds(const Answer& answer, const std::vector<float>& firsts,
                                     const std::vector<float>& added) {
  if (answer.outcome != Outcome::kCompleted) {
    return testing::AssertionFailure() << "it did not complete: " << answer.message;
  }
  const std::vector<float> rows = rows_of(firsts);
  if (answer.values.size() != rows.size()) {
    return testing::AssertionFailure() << answer.values.size() << " values";
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const float wanted = rows[i] + added[i / kWidth];
    if (std::abs(answer.values[i] - wanted) > 0.01f) {
      return testing::AssertionFailure()
             << "element " << i << ": " << answer.values[i] << " instead of " << wanted;
    }
  }
  return testing::AssertionSuccess();
}

// The same number for every row.
inline testing::AssertionResult adds(const Answer& answer, const std::vector<float>& firsts,
                                     float added) {
  return adds(answer, firsts, std::vector<float>(firsts.size(), added));
}

}  // namespace millrace
