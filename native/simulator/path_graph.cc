#include "simulator/path_graph.h"

#include <algorithm>

namespace millrace {
namespace {

// As many visits as are waited for one by one in the place of a stage that does not run.
constexpr std::size_t kMostCollapsed = 8;

constexpr std::uint32_t kNone = 0xffffffff;

using Visits = std::vector<std::uint32_t>;  // ascending, each once

void add(Visits& to, const Visits& from) {
  if (from.empty()) return;
  const auto middle = static_cast<std::ptrdiff_t>(to.size());
  to.insert(to.end(), from.begin(), from.end());
  std::inplace_merge(to.begin(), to.begin() + middle, to.end());
  to.erase(std::unique(to.begin(), to.end()), to.end());
}

class GraphMaker {
 public:
  GraphMaker(const SimulatedPipeline& pipeline, const StageScopes& scopes)
      : pipeline_(pipeline), scopes_(scopes), rows_of_(scopes.depth.size()) {}

  PathGraph make(std::uint32_t path) {
    add_row(kNone, SimulatedItems::kRequest, path, 0);
    for (const SimulatedItems& rows : pipeline_.paths[path].items) {
      if (rows.opener != SimulatedItems::kRequest) continue;
      for (std::uint32_t i = 0; i < rows.times; ++i) add_row(kNone, rows.opener, rows.path, 0);
    }
    for (std::uint32_t stage = 0; stage < pipeline_.stages.size(); ++stage) resolve_stage(stage);
    return assemble();
  }

 private:
  struct Row {
    std::uint32_t parent;  // kNone: of the request
    std::uint32_t opener;
    std::uint32_t path;
    std::uint32_t scope;
    std::vector<Visits> resolved;  // by stage: what must be over for it to be
  };

  void add_row(std::uint32_t parent, std::uint32_t opener, std::uint32_t path,
               std::uint32_t scope) {
    rows_of_[scope].push_back(static_cast<std::uint32_t>(rows_.size()));
    rows_.push_back({parent, opener, path, scope, {}});
    rows_.back().resolved.resize(pipeline_.stages.size());
  }

  // All stages before it are resolved for all rows.
  void resolve_stage(std::uint32_t stage) {
    const std::uint32_t scope = scopes_.of_stage[stage];
    for (const std::uint32_t row : rows_of_[scope]) {
      Visits before = awaited(stage, row);
      const std::uint32_t times = rows_visited(stage, rows_[row].path);
      if (times > 0 || before.size() > kMostCollapsed) before = {visit(stage, times, before)};
      rows_[row].resolved[stage] = std::move(before);
    }
    if (!pipeline_.stages[stage].fan_out) return;
    for (const std::uint32_t row : rows_of_[scope]) open(stage, row);
  }

  [[nodiscard]] std::uint32_t rows_visited(std::uint32_t stage, std::uint32_t path) const {
    std::uint32_t rows = 0;
    for (const SimulatedVisit& one : pipeline_.paths[path].visits) {
      if (one.stage == stage) rows += one.times;
    }
    return rows;
  }

  [[nodiscard]] Visits awaited(std::uint32_t stage, std::uint32_t row) const {
    const std::optional<std::uint32_t>& gather = pipeline_.stages[stage].gather;
    Visits before;
    if (gather) add(before, resolved(*gather, row));
    for (const std::uint32_t from : pipeline_.stages[stage].predecessors) {
      const std::uint32_t scope = scopes_.of_stage[from];
      if (gather && scope == scopes_.items_of[*gather]) {
        add_items(before, *gather, from, row);
      } else {
        add(before, resolved(from, row));
      }
    }
    return before;
  }

  // Of the row itself, or of the one above it for which the stage runs.
  [[nodiscard]] const Visits& resolved(std::uint32_t stage, std::uint32_t row) const {
    while (rows_[row].scope != scopes_.of_stage[stage]) row = rows_[row].parent;
    return rows_[row].resolved[stage];
  }

  // The stage, for all items of the row.
  void add_items(Visits& before, std::uint32_t opener, std::uint32_t stage,
                 std::uint32_t row) const {
    const std::vector<std::uint32_t>& rows = rows_of_[scopes_.items_of[opener]];
    // Items of a row lie together, by row.
    auto item = std::lower_bound(
        rows.begin(), rows.end(), row,
        [&](std::uint32_t one, std::uint32_t of) { return rows_[one].parent < of; });
    Visits all;
    for (; item != rows.end() && rows_[*item].parent == row; ++item) {
      const Visits& one = rows_[*item].resolved[stage];
      all.insert(all.end(), one.begin(), one.end());
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    add(before, all);
  }

  void open(std::uint32_t stage, std::uint32_t row) {
    const std::uint32_t path = rows_[row].path;
    if (rows_visited(stage, path) == 0) return;
    for (const SimulatedItems& items : pipeline_.paths[path].items) {
      if (items.opener != stage) continue;
      for (std::uint32_t i = 0; i < items.times; ++i) {
        add_row(row, stage, items.path, scopes_.items_of[stage]);
      }
    }
  }

  std::uint32_t visit(std::uint32_t stage, std::uint32_t rows, const Visits& before) {
    const auto id = static_cast<std::uint32_t>(graph_.visits.size());
    graph_.visits.push_back({stage, rows, static_cast<std::uint32_t>(before.size()), 0, 0});
    before_.push_back(before);
    return id;
  }

  // From who waits for whom to who is waited for by whom.
  PathGraph assemble() {
    std::vector<Visits> after(before_.size());
    for (std::uint32_t id = 0; id < before_.size(); ++id) {
      for (const std::uint32_t from : before_[id]) after[from].push_back(id);
      if (before_[id].empty()) graph_.entries.push_back(id);
    }
    for (std::uint32_t id = 0; id < after.size(); ++id) {
      PathGraph::Visit& one = graph_.visits[id];
      one.first = static_cast<std::uint32_t>(graph_.successors.size());
      graph_.successors.insert(graph_.successors.end(), after[id].begin(), after[id].end());
      one.last = static_cast<std::uint32_t>(graph_.successors.size());
      (one.rows > 0 ? graph_.ends : passes_) += 1;
    }
    graph_.passes = passes_ > 0;
    return std::move(graph_);
  }

  const SimulatedPipeline& pipeline_;
  const StageScopes& scopes_;
  std::vector<Row> rows_;
  std::vector<std::vector<std::uint32_t>> rows_of_;  // by scope, in order
  std::vector<Visits> before_;                       // by visit
  std::uint32_t passes_ = 0;
  PathGraph graph_;
};

}  // namespace

PathGraph make_path_graph(const SimulatedPipeline& pipeline, const StageScopes& scopes,
                          std::uint32_t path) {
  return GraphMaker(pipeline, scopes).make(path);
}

}  // namespace millrace
