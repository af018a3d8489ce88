import type { Plan } from '../planner/plan.ts'
import type { Hardware } from '../profile/hardware.ts'
import type { Trace } from '../workload/trace.ts'
import type { TunerTime } from './tuner-time.ts'

/** How a tuner is to behave. */
export interface TunerOptions {
  /** What the engine serves, and for which traffic. */
  readonly plan: Plan
  /**
   * How traffic is turned into replicas; src/tuner/README.md has the formulae. `level`: of how much traffic of the planned kind
   * a window as full as this tells. `inferline`: as published, where every burst counts as a rate. Default `level`.
   */
  readonly method?: TunerMethod | undefined
  /**
   * By how much a window must be fuller than planned to count, in standard deviations of a Poisson count, at least 0: the
   * plan's trace showed only some of the bursts that the same traffic makes. Default 2; 0 with `inferline`.
   */
  readonly tolerance?: number | undefined
  /**
   * How much more than there is replicas are added for, at least 0: 0.5 is half as much again. It is what serves while traffic
   * goes on rising and further replicas come, and it keeps their number from following every wave. Never beyond the plan's
   * replicas where traffic is within the plan. Default 0.5; 0 with `inferline`. Where replicas take seconds to come: 1 or more.
   */
  readonly headroom?: number | undefined
  /** Milliseconds after a change without which no replica is removed, at least 0. Default 15,000 (InferLine). */
  readonly quietMs?: number | undefined
  /**
   * The factor by which `quietMs` grows each time that replicas are needed again soon after some were removed (within four times
   * the present one), at least 1, where it never grows. Default 2; 1 with `inferline`.
   */
  readonly backoff?: number | undefined
  /** Most milliseconds that `quietMs` grows to, at least 0. Default 600,000. */
  readonly longestQuietMs?: number | undefined
  /** Milliseconds of the windows whose rate says what may go, at least `checkEveryMs`. Default 5000 (InferLine). */
  readonly rateWindowMs?: number | undefined
  /** Milliseconds looked back for the highest of those rates, at least `rateWindowMs`. Default 30,000 (InferLine). */
  readonly historyMs?: number | undefined
  /** Milliseconds between looks for replicas to remove, at least 1; what must be added is seen at once. Default 1000. */
  readonly checkEveryMs?: number | undefined
  /**
   * Milliseconds without a sign of life after which the clock must have jumped, at least twice `checkEveryMs`. Default 5000,
   * or that where it is more.
   */
  readonly longestGapMs?: number | undefined
  /** What replicas may not exceed. Default: each limit's own. */
  readonly limits?: TunerLimits | undefined
  /** Threads and prices of tiers; `limits.budgetPerHour` needs it. Default: `cpu-N` takes N cores, others none. */
  readonly hardware?: Hardware | undefined
  /**
   * Called when the replicas have been others than the plan's for `replanAfterMs`, with the traffic since; what it returns is
   * applied whole. Runs in the background, one at a time. Default: none.
   */
  readonly replan?: Replan | undefined
  /** Milliseconds that a change must last before {@link replan} is called, at least 1. Default 120,000. */
  readonly replanAfterMs?: number | undefined
  /** The clock and the timer that it goes by. Default: those of the process. */
  readonly time?: TunerTime | undefined
}

export const tunerMethods = ['level', 'inferline'] as const

/**
 * How traffic is turned into replicas. `inferline`: as published ("InferLine", SoCC 2020, section 5). `level`: by how much
 * traffic of the planned kind the windows tell of, so that a burst of planned size adds nothing (src/tuner/README.md).
 *
 * @useDeclaredType
 */
export type TunerMethod = (typeof tunerMethods)[number]

/** What a tuner may not exceed, though it never takes away what is there for it. */
export interface TunerLimits {
  /** Replicas of one stage, from 1 to 1024. Default 64. */
  readonly maxReplicas?: number | undefined
  /** Replicas of one stage that always stay, from 1 to `maxReplicas`. Default 1. */
  readonly minReplicas?: number | undefined
  /** Threads of all replicas of kind `cpu`, at least 0. Default: no limit. */
  readonly cores?: number | undefined
  /** What all replicas together may cost, at least 0, in the currency of `hardware`, which it needs. Default: no limit. */
  readonly budgetPerHour?: number | undefined
}

/** A change of the traffic that lasts. */
export interface LastingChange {
  /** The arrivals since replicas were changed first. */
  readonly trace: Trace
  /** What was planned before. */
  readonly plan: Plan
  /** Aborted when the tuner is stopped. */
  readonly signal: AbortSignal
}

/** Plans anew; undefined to leave things as they are. */
export type Replan = (change: LastingChange) => Promise<Plan | undefined>

/** Options with nothing left out, but for what may be absent. */
export interface TunerRules {
  readonly method: TunerMethod
  readonly tolerance: number
  readonly headroom: number
  readonly quietMs: number
  readonly backoff: number
  readonly longestQuietMs: number
  readonly rateWindowMs: number
  readonly historyMs: number
  readonly checkEveryMs: number
  readonly longestGapMs: number
  readonly replanAfterMs: number
  readonly limits: Required<{ readonly [Key in keyof TunerLimits]: number }>
}
