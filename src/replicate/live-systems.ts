import type { Plan, Strategy } from '../planner/plan.ts'
import { Tuner } from '../tuner/tuner.ts'
import type { TunerMethod } from '../tuner/tuner-options.ts'
import { cgTune } from './baselines/cg-tune.ts'
import { ds2 } from './baselines/ds2.ts'
import { noTuner } from './baselines/no-tuner.ts'
import { ongoing } from './baselines/ongoing.ts'
import type { Control } from './live-run.ts'

/** What is planned before a trace is served. */
export interface PlanChoice {
  readonly strategy: Strategy
  readonly percentile: number
}

/** A way to serve a trace: what it begins with, and what then changes replicas. */
export interface LiveSystem {
  readonly name: string
  /** Which of several settings of the same rule. */
  readonly setting?: string | undefined
  /** Whether it is compared with: the others are ours, and the method of the paper. */
  readonly isBaseline: boolean
  readonly plan: PlanChoice
  readonly control: (plan: Plan) => Control
}

/** Room for all that any rule asks for. */
const maxReplicas = 512

export function tuned(method: TunerMethod): (plan: Plan) => Control {
  return (plan) =>
    ({ engine }) => {
      new Tuner(engine, { plan, method, time: engine.time, limits: { maxReplicas } }).start()
    }
}

const optimal = (percentile: number): PlanChoice => ({ strategy: 'optimal', percentile })
const other = (strategy: Strategy): PlanChoice => ({ strategy, percentile: 99 })

/** Ours, with the plan that has 99.9 % of the requests in time before anything changes. */
export const millrace: LiveSystem = {
  name: 'millrace',
  isBaseline: false,
  plan: optimal(99.9),
  control: tuned('level'),
}

/** Ours, with the cheapest plan for the objective, which leaves no slack. */
const millraceTight: LiveSystem = { ...millrace, name: 'millrace, 99 %', plan: optimal(99) }

/** Planner and tuner of the paper, by its rules. */
export const inferline: LiveSystem = {
  name: 'inferline',
  isBaseline: false,
  plan: other('inferline'),
  control: tuned('inferline'),
}

/** The plan of ours, never changed. */
export const withoutTuner: LiveSystem = {
  name: 'no tuner',
  isBaseline: true,
  plan: optimal(99.9),
  control: () => noTuner,
}

/** The coarse-grained planner and tuner, for the mean rate or for the peak, counted over a window. */
export function coarseGrained(rate: 'mean' | 'peak', windowMs: number): LiveSystem {
  return {
    name: `cg-${rate}`,
    setting: `arrivals of ${windowMs / 1000} s`,
    isBaseline: true,
    plan: other(`cg-${rate}`),
    control: (plan) => cgTune({ plan, rate, windowMs }),
  }
}

function ds2With(headroom: number): LiveSystem {
  const setting = `${headroom} times the rate`
  const control = (plan: Plan) => ds2({ plan, headroom })
  return { name: 'ds2', setting, isBaseline: true, plan: optimal(99.9), control }
}

const rayServe: LiveSystem = {
  name: 'ray serve',
  isBaseline: true,
  plan: optimal(99.9),
  control: () => ongoing(),
}

/** All that a trace is served with; baselines at several settings where `thorough`. */
export function liveSystems({ thorough }: { readonly thorough: boolean }): readonly LiveSystem[] {
  const windowsMs = thorough ? [1000, 10_000, 30_000] : [10_000]
  const headrooms = thorough ? [1, 1.5, 2, 3] : [1, 2]
  return [
    millrace,
    millraceTight,
    inferline,
    ...windowsMs.map((windowMs) => coarseGrained('mean', windowMs)),
    ...windowsMs.map((windowMs) => coarseGrained('peak', windowMs)),
    ...headrooms.map(ds2With),
    rayServe,
    withoutTuner,
  ]
}
