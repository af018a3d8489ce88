import type { Engine } from '../engine/engine.ts'
import { MillraceError } from '../errors.ts'
import type { Plan } from '../planner/plan.ts'
import { Planner } from '../planner/planner.ts'
import type { Hardware } from '../profile/hardware.ts'
import type { Profile } from '../profile/profile.ts'
import { Tuner } from '../tuner/tuner.ts'
import type { TunerEvents } from '../tuner/tuner-events.ts'
import type { Replan } from '../tuner/tuner-options.ts'
import type { TunerStats } from '../tuner/tuner-stats.ts'
import type { TunerTime } from '../tuner/tuner-time.ts'
import type { TuningReport } from './tuning-report.ts'

/** What to plan with. */
export interface Profiled {
  readonly profile: Profile
  readonly hardware: Hardware
}

export interface TuningBasis {
  readonly hardware: Hardware | undefined
  /** Needed to plan anew. */
  readonly profiled?: Profiled | undefined
}

export interface TuningTerms {
  readonly maxReplicas?: number | undefined
  readonly cores?: number | undefined
  readonly budget?: number | undefined
  readonly replan: boolean
  /** Seconds. */
  readonly replanAfter?: number | undefined
}

/** A tuner that begins with the trace; and what it did, when it is stopped. */
export interface Tuning {
  readonly start: () => void
  readonly stats: () => TunerStats
  readonly stop: () => Promise<TuningReport>
}

/** @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function tune(
  engine: Engine,
  given: {
    readonly plan: Plan
    readonly basis: TuningBasis
    readonly terms: TuningTerms
    /** Default: that of the process. */
    readonly time?: TunerTime | undefined
  },
): Tuning {
  const { plan, basis, terms, time } = given
  const { maxReplicas, cores, budget: budgetPerHour, replanAfter } = terms
  const replan = replanOf(basis, terms)
  const tuner = new Tuner(engine, {
    plan,
    limits: { maxReplicas, cores, budgetPerHour },
    hardware: basis.hardware,
    time,
    replan,
    replanAfterMs: replanAfter === undefined ? undefined : 1000 * replanAfter,
  })
  const changes: TunerEvents['scale'][] = []
  const plans: TuningReport['plans'][number][] = []
  const errors: string[] = []
  tuner.on('scale', (event) => changes.push(event))
  tuner.on('replan', ({ atMs, before, after }) => {
    const { costPerHour, configuration } = after
    plans.push({ atMs, configuration, costPerHour, costPerHourBefore: before.costPerHour })
  })
  tuner.on('error', ({ message }) => errors.push(message))
  return {
    start: () => void tuner.start(),
    stats: () => tuner.stats(),
    stop: async () => {
      await tuner.stop()
      return { changes, plans, replans: replan !== undefined, errors, stats: tuner.stats() }
    },
  }
}

/** Plans for the traffic that there was since it changed, within the limits of the tuner; undefined where it is not to. */
function replanOf({ profiled }: TuningBasis, terms: TuningTerms): Replan | undefined {
  const { maxReplicas, cores, budget, replan, replanAfter } = terms
  if (profiled === undefined && replanAfter !== undefined) {
    throw new MillraceError({
      code: 'MILLRACE_INVALID_OPTION',
      message: '--replan-after: expected a profile to plan with, got none; give --profile FILE',
    })
  }
  if (!replan || profiled === undefined) return undefined
  const planner = new Planner({ ...profiled, strategy: 'optimal' })
  return async ({ trace, plan, signal }) => {
    const { objective } = plan
    return await planner.plan(trace, {
      objective,
      limits: { maxReplicas, cores, budgetPerHour: budget },
      signal,
    })
  }
}
