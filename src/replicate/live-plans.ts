import { MillraceError } from '../errors.ts'
import type { Plan } from '../planner/plan.ts'
import type { Trace } from '../workload/trace.ts'
import type { PlanChoice } from './live-systems.ts'
import type { Basis } from './paper-pipelines.ts'
import { planOrRefusal } from './plan-or-refusal.ts'

/** Plans for one sample trace, each made once. */
export class LivePlans {
  readonly #given: {
    readonly basis: Basis
    readonly sample: Trace
    readonly latencyMs: number
    readonly signal: AbortSignal | undefined
  }
  readonly #plans = new Map<string, Plan>()

  constructor(given: {
    readonly basis: Basis
    readonly sample: Trace
    readonly latencyMs: number
    readonly signal: AbortSignal | undefined
  }) {
    this.#given = given
  }

  /** @throws {MillraceError} MILLRACE_INFEASIBLE, MILLRACE_CANCELLED */
  async of({ strategy, percentile }: PlanChoice): Promise<Plan> {
    const key = `${strategy} ${percentile}`
    const known = this.#plans.get(key)
    if (known !== undefined) return known
    const { basis, sample, latencyMs, signal } = this.#given
    const objective = { latencyMs, percentile }
    let planned = await planOrRefusal(strategy, { basis, trace: sample, objective, signal })
    if ('refusal' in planned && strategy === 'optimal') {
      planned = await planOrRefusal('inferline', { basis, trace: sample, objective, signal })
    }
    if ('refusal' in planned) {
      throw new MillraceError({ code: 'MILLRACE_INFEASIBLE', message: planned.refusal })
    }
    this.#plans.set(key, planned.plan)
    return planned.plan
  }
}
