import { checkInteger, checkNumber, checkObject, checkOneOf, describe, suggest } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { Objective, ObjectiveOptions } from '../pipeline/objective.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { checkProfile } from '../profile/check-profile.ts'
import type { Hardware } from '../profile/hardware.ts'
import type { Profile } from '../profile/profile.ts'
import { checkHardware } from '../profile/read-hardware.ts'
import { Trace } from '../workload/trace.ts'
import { type PlanLimits, type Strategy, strategies } from './plan.ts'

/** What a planner is made of. */
export interface PlannerOptions {
  /** What was measured of the pipeline. */
  readonly profile: Profile
  /** Tiers and their prices. */
  readonly hardware: Hardware
  /** How plans are chosen. Default `optimal`. */
  readonly strategy?: Strategy | undefined
  /** Chooses the path that each simulated request takes: an integer from 0. Default 0. */
  readonly seed?: number | undefined
}

/** How far planning has come. */
export interface PlanProgress {
  /** What is being done: `search` of `optimal`, `minimize` of `inferline`. */
  readonly phase: string
  /** How many simulations there were so far. */
  readonly simulated: number
  /** Of the best plan found so far; undefined where there is none yet. */
  readonly costPerHour?: number | undefined
  /** No plan is cheaper than this; undefined where that is not known. */
  readonly boundPerHour?: number | undefined
}

/** What is asked of a planner. */
export interface PlanOptions {
  /** What the plan has to keep. Default: that of `pipeline`. Needs one of the two. */
  readonly objective?: ObjectiveOptions | undefined
  /** What was profiled; its name is held against the profile's. Default: any pipeline of that name. */
  readonly pipeline?: Pipeline | undefined
  /** What the plan may use. Default: each limit's own. */
  readonly limits?: PlanLimits | undefined
  /** Aborting it rejects with MILLRACE_CANCELLED, whose `cause` is the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined
  /** Called now and then; what it throws ends the planning. Default: none. */
  readonly onProgress?: ((progress: PlanProgress) => void) | undefined
}

/** What a planner plans with, checked. */
export interface Basis {
  readonly profile: Profile
  readonly hardware: Hardware
  readonly strategy: Strategy
  readonly seed: number
}

/** One question, checked. */
export interface Question extends Basis {
  readonly trace: Trace
  readonly objective: Objective
  readonly limits: PlanLimits
  readonly signal: AbortSignal | undefined
  readonly onProgress: (progress: PlanProgress) => void
}

export function checkPlannerOptions(options: PlannerOptions): Basis {
  const name = 'planner options'
  const keys = ['profile', 'hardware', 'strategy', 'seed'] as const
  const given = checkObject(options, { name, keys })
  const { strategy = 'optimal', seed = 0 } = given
  return {
    profile: checkProfile(given.profile, 'profile'),
    hardware: checkHardware(given.hardware, 'hardware'),
    strategy: checkOneOf(strategy, { name: 'strategy', choices: strategies }),
    seed: checkInteger(seed, { name: 'seed', min: 0 }),
  }
}

const planKeys = ['objective', 'pipeline', 'limits', 'signal', 'onProgress'] as const

export function checkQuestion(basis: Basis, given: { trace: unknown; options: unknown }): Question {
  const { trace } = given
  if (!(trace instanceof Trace)) {
    throw invalid(`trace: expected a Trace, got ${describe(trace)}; make one with new Trace({ … })`)
  }
  const options = checkObject(given.options, { name: 'plan options', keys: planKeys })
  return {
    ...basis,
    trace,
    objective: objectiveOf(options as PlanOptions, basis),
    limits: checkLimits(options.limits ?? {}, basis),
    signal: checkSignal(options.signal),
    onProgress: checkListener(options.onProgress),
  }
}

function objectiveOf({ objective, pipeline }: PlanOptions, { profile }: Basis): Objective {
  if (pipeline !== undefined && pipeline.name !== profile.pipeline) {
    const expected = `expected the pipeline that was profiled, "${profile.pipeline}"`
    throw invalid(`pipeline: ${expected}, got "${pipeline.name}"; give the profile of that one`)
  }
  const given = objective ?? pipeline?.objective
  if (given === undefined) {
    throw invalid('objective: there is none; give { objective: { latencyMs: … } }')
  }
  const keys = ['latencyMs', 'percentile'] as const
  const { latencyMs, percentile = 99 } = checkObject(given, { name: 'objective', keys })
  return {
    latencyMs: checkNumber(latencyMs, { name: 'objective.latencyMs', above: 0 }),
    percentile: checkNumber(percentile, { name: 'objective.percentile', above: 0, below: 100 }),
  }
}

const limitKeys = [
  'maxReplicas',
  'maxBatch',
  'cores',
  'memoryMb',
  'budgetPerHour',
  'tiers',
  'minAccuracy',
] as const

const mostReplicas = 4096

function checkLimits(value: unknown, { hardware }: Basis): PlanLimits {
  const given = checkObject(value, { name: 'limits', keys: limitKeys })
  const { maxReplicas, maxBatch, cores, memoryMb, budgetPerHour, minAccuracy } = given
  const number = (key: string, limit: unknown, range: { max?: number } = {}): void => {
    if (limit !== undefined) checkNumber(limit, { name: `limits.${key}`, min: 0, ...range })
  }
  if (maxReplicas !== undefined) {
    checkInteger(maxReplicas, { name: 'limits.maxReplicas', min: 1, max: mostReplicas })
  }
  if (maxBatch !== undefined) checkInteger(maxBatch, { name: 'limits.maxBatch', min: 1 })
  number('cores', cores)
  number('memoryMb', memoryMb)
  number('budgetPerHour', budgetPerHour)
  number('minAccuracy', minAccuracy, { max: 1 })
  if (given.tiers !== undefined) checkTiers(given.tiers, hardware)
  return given as PlanLimits
}

function checkTiers(value: unknown, { tiers }: Hardware): void {
  if (!Array.isArray(value)) {
    const expected = 'expected an array of names of tiers'
    throw invalid(`limits.tiers: ${expected}, got ${describe(value)}; give ["cpu-1"] or the like`)
  }
  const known = Object.keys(tiers)
  const unknown: unknown = value.find((tier) => !known.includes(tier))
  if (value.length === 0) throw invalid('limits.tiers: it allows no tier; name at least one')
  if (unknown === undefined) return
  const name = typeof unknown === 'string' ? `"${unknown}"` : describe(unknown)
  throw invalid(
    `limits.tiers: the hardware has no tier ${name}; ${suggest(String(unknown), known)}`,
  )
}

function checkSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value
  throw invalid(
    `signal: expected an AbortSignal, got ${describe(value)}; give that of a controller`,
  )
}

function checkListener(value: unknown): Question['onProgress'] {
  if (value === undefined) return () => {}
  if (typeof value === 'function') return value as Question['onProgress']
  throw invalid(`onProgress: expected a function, got ${describe(value)}; give one or leave it out`)
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
