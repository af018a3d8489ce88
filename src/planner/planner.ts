import type { Trace } from '../workload/trace.ts'
import { answer } from './answer.ts'
import { type FrontierOptions, frontier } from './frontier.ts'
import type { Plan } from './plan.ts'
import {
  type Basis,
  checkPlannerOptions,
  checkQuestion,
  type PlannerOptions,
  type PlanOptions,
} from './question.ts'

/**
 * Chooses how each stage of a profiled pipeline is to be run: model, tier, largest batch and replicas, so that a trace is
 * served within an objective at the least cost (Crankshaw et al., "InferLine", SoCC 2020, section 4.3; {@link Strategy} has
 * what is of the paper and what is not). The same question has the same answer, to the last bit.
 */
export class Planner {
  readonly #basis: Basis

  /**
   * Checks what it is given; nothing is planned yet.
   *
   * @throws {MillraceError} MILLRACE_INVALID_OPTION for an option that does not fit, MILLRACE_INVALID_FILE for a profile or
   * hardware that is none.
   */
  constructor(options: PlannerOptions) {
    this.#basis = checkPlannerOptions(options)
  }

  /**
   * The plan of the strategy. `optimal` has the true minimum cost within the limits; see src/planner/README.md for what
   * that rests on. `cg-mean` and `cg-peak` may miss the objective, which their estimate then says.
   *
   * @param trace When requests come.
   * @throws {InfeasibleError} (by rejecting) MILLRACE_INFEASIBLE where no configuration within the limits meets the
   * objective.
   * @throws {MillraceError} (by rejecting) MILLRACE_INVALID_OPTION; MILLRACE_INVALID_FILE where the profile contradicts
   * itself; MILLRACE_CANCELLED when the signal is aborted.
   */
  async plan(trace: Trace, options: PlanOptions): Promise<Plan> {
    return await answer(checkQuestion(this.#basis, { trace, options }))
  }

  /**
   * Plans for a range of objectives, and of accuracies where stages have models to choose from: those that no other beats in
   * cost, latency of the objective, accuracy and watts at once; by latency, then cost.
   *
   * @param trace When requests come.
   * @throws {InfeasibleError} (by rejecting) MILLRACE_INFEASIBLE where none of the objectives can be met.
   * @throws {MillraceError} (by rejecting) As {@link plan} does.
   */
  async frontier(trace: Trace, options: FrontierOptions): Promise<readonly Plan[]> {
    return await frontier(this.#basis, { trace, options })
  }
}
