import { checkInteger, checkNumber, checkObject, checkOneOf, describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import { checkJson } from '../json/check-json.ts'
import type { Plan } from '../planner/plan.ts'
import type { Hardware } from '../profile/hardware.ts'
import { checkHardware } from '../profile/read-hardware.ts'
import type { TunedEngine } from './tuned-engine.ts'
import {
  type Replan,
  type TunerMethod,
  type TunerOptions,
  type TunerRules,
  tunerMethods,
} from './tuner-options.ts'
import { realTime, type TunerTime } from './tuner-time.ts'

/** Options, checked and completed. */
export interface TunerTerms {
  readonly plan: Plan
  readonly rules: TunerRules
  readonly hardware: Hardware | undefined
  readonly replan: Replan | undefined
  readonly time: TunerTime
}

const keys = [
  'plan',
  'method',
  'tolerance',
  'headroom',
  'quietMs',
  'backoff',
  'longestQuietMs',
  'rateWindowMs',
  'historyMs',
  'checkEveryMs',
  'longestGapMs',
  'limits',
  'hardware',
  'replan',
  'replanAfterMs',
  'time',
] as const satisfies readonly (keyof TunerOptions)[]

const limitKeys = ['maxReplicas', 'minReplicas', 'cores', 'budgetPerHour'] as const
const mostReplicas = 1024
const { POSITIVE_INFINITY } = Number

/** @throws {MillraceError} MILLRACE_INVALID_OPTION, MILLRACE_INVALID_FILE for a plan or hardware that is none. */
export function checkTunerOptions(options: unknown, engine: TunedEngine): TunerTerms {
  const given = checkObject(options, { name: 'tuner options', keys })
  const hardware =
    given.hardware === undefined ? undefined : checkHardware(given.hardware, 'hardware')
  const rules = checkRules(given as TunerOptions)
  if (rules.limits.budgetPerHour < POSITIVE_INFINITY && hardware === undefined) {
    throw invalid('limits.budgetPerHour: expected prices beside it; give hardware as well')
  }
  return {
    plan: checkPlan(given.plan, engine),
    rules,
    hardware,
    replan: checkReplan(given.replan, engine),
    time: checkTime(given.time),
  }
}

/** A plan that says what a tuner needs, for stages that the engine has. */
export function checkPlan(value: unknown, engine: TunedEngine): Plan {
  const fix = 'have it written anew with: millrace plan'
  const plan = checkJson(value, { schema: 'plan', where: 'plan', fix }) as Plan
  if (plan.tuning === undefined || plan.tuning.envelope.length === 0) {
    throw invalid(`plan.tuning: expected what a planner writes, got none; ${fix}`)
  }
  const { stages } = engine.stats()
  const missing = Object.keys(plan.tuning.stages).find((name) => {
    return !Object.hasOwn(stages, name) || !Object.hasOwn(plan.configuration, name)
  })
  if (missing === undefined) return plan
  throw invalid(
    `plan.tuning.stages: expected stages of the engine, got "${missing}"; give the plan of this pipeline`,
  )
}

function checkRules(given: TunerOptions): TunerRules {
  const method: TunerMethod = checkOneOf(given.method ?? 'level', {
    name: 'method',
    choices: tunerMethods,
  })
  const published = method === 'inferline'
  const duration = (name: keyof TunerOptions & keyof TunerRules, otherwise: number, min = 0) => {
    return checkNumber(given[name] ?? otherwise, { name, min })
  }
  const checkEveryMs = duration('checkEveryMs', 1000, 1)
  const rateWindowMs = duration('rateWindowMs', 5000, checkEveryMs)
  return {
    method,
    tolerance: duration('tolerance', published ? 0 : 2),
    headroom: duration('headroom', published ? 0 : 0.5),
    quietMs: duration('quietMs', 15_000),
    backoff: duration('backoff', published ? 1 : 2, 1),
    longestQuietMs: duration('longestQuietMs', 600_000),
    rateWindowMs,
    historyMs: duration('historyMs', 30_000, rateWindowMs),
    checkEveryMs,
    longestGapMs: duration('longestGapMs', Math.max(5000, 2 * checkEveryMs), 2 * checkEveryMs),
    replanAfterMs: duration('replanAfterMs', 120_000, 1),
    limits: checkLimits(given.limits ?? {}),
  }
}

function checkLimits(value: unknown): TunerRules['limits'] {
  const given = checkObject(value, { name: 'limits', keys: limitKeys })
  const { maxReplicas = 64, minReplicas = 1, cores, budgetPerHour } = given
  const most = checkInteger(maxReplicas, { name: 'limits.maxReplicas', min: 1, max: mostReplicas })
  const amount = (name: string, limit: unknown) => {
    return limit === undefined ? POSITIVE_INFINITY : checkNumber(limit, { name, min: 0 })
  }
  return {
    maxReplicas: most,
    minReplicas: checkInteger(minReplicas, { name: 'limits.minReplicas', min: 1, max: most }),
    cores: amount('limits.cores', cores),
    budgetPerHour: amount('limits.budgetPerHour', budgetPerHour),
  }
}

function checkReplan(value: unknown, engine: TunedEngine): Replan | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'function') {
    throw invalid(`replan: expected a function, got ${describe(value)}; give one or leave it out`)
  }
  if (engine.apply !== undefined && engine.recordArrivals !== undefined) return value as Replan
  throw invalid(
    'replan: expected an engine with apply and recordArrivals, got one without; leave replan out',
  )
}

function checkTime(value: unknown): TunerTime {
  if (value === undefined) return realTime()
  const given = checkObject(value, { name: 'time', keys: ['now', 'every', 'whenMomentEnds'] })
  if (typeof given.now === 'function' && typeof given.every === 'function') {
    return value as TunerTime
  }
  throw invalid('time: expected the functions now and every; leave it out for that of the process')
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
