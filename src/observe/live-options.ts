import { checkInteger, checkObject, checkRecord, describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { Prices } from './cost-per-hour.ts'
import type { LiveEngineSource, LivePlanSource, LiveTunerSource } from './live-source.ts'

/** An engine to watch, and what else is known of it. */
export interface WatchedEngine {
  /** Whose figures are shown. */
  readonly engine: LiveEngineSource
  /** Whose decisions are shown. Default: none. */
  readonly tuner?: LiveTunerSource | undefined
  /** Whose prediction is shown beside what is measured, until the tuner serves another. Default: none. */
  readonly plan?: LivePlanSource | undefined
  /** For the cost per hour: `readHardware` gives it, or anything with prices of tiers. Default: no cost is shown. */
  readonly hardware?: Prices | undefined
}

/** What to watch. */
export interface LiveOptions {
  /** By the name to show, which may be any text: engines, alone or with what else is known of them. */
  readonly engines: Readonly<Record<string, LiveEngineSource | WatchedEngine>>
  /** Milliseconds from one snapshot to the next while somebody watches, from 100 to 60,000. Default 1000. */
  readonly intervalMs?: number | undefined
}

/** Options with nothing left out. */
export interface LiveTerms {
  readonly engines: readonly (WatchedEngine & { readonly name: string })[]
  readonly intervalMs: number
}

export const liveKeys = ['engines', 'intervalMs'] as const
const watchedKeys = ['engine', 'tuner', 'plan', 'hardware'] as const

/** @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function checkLiveOptions(options: unknown): LiveTerms {
  const given = checkObject(options, { name: 'live options', keys: liveKeys })
  const engines = Object.entries(checkRecord(given.engines, { name: 'engines' }))
  if (engines.length === 0) {
    throw invalid('engines: expected at least one, got none; give { name: engine }')
  }
  return {
    engines: engines.map(([name, value]) => ({ name, ...checkWatched(value, name) })),
    intervalMs: checkInteger(given.intervalMs ?? 1000, {
      name: 'intervalMs',
      min: 100,
      max: 60_000,
    }),
  }
}

function checkWatched(value: unknown, name: string): WatchedEngine {
  const where = `engines[${JSON.stringify(name)}]`
  if (isEngine(value)) return { engine: value }
  const given = checkObject(value, { name: where, keys: watchedKeys })
  const { engine, tuner, plan, hardware } = given
  if (!isEngine(engine)) throw expected('an engine, as Engine.start gives', engine, where)
  if (tuner !== undefined && !hasFunctions(tuner, ['stats', 'on', 'off'])) {
    throw expected('a Tuner', tuner, `${where}.tuner`)
  }
  if (plan !== undefined && !hasObjects(plan, 'configuration')) {
    throw expected('a plan, which has a configuration', plan, `${where}.plan`)
  }
  if (hardware !== undefined && !hasObjects(hardware, 'tiers')) {
    throw expected('hardware, which has tiers', hardware, `${where}.hardware`)
  }
  return {
    engine,
    tuner: tuner as LiveTunerSource | undefined,
    plan: plan as LivePlanSource | undefined,
    hardware: hardware as Prices | undefined,
  }
}

function isEngine(value: unknown): value is LiveEngineSource {
  return hasFunctions(value, ['stats', 'on', 'off', 'histograms']) && 'pipeline' in value
}

function hasFunctions(value: unknown, names: readonly string[]): value is object {
  if (typeof value !== 'object' || value === null) return false
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
}

/** Whether what is under this name is an object, whose values are objects. */
function hasObjects(value: unknown, name: string): boolean {
  const found = (value as Readonly<Record<string, unknown>> | null)?.[name]
  if (typeof found !== 'object' || found === null) return false
  return Object.values(found).every((each) => typeof each === 'object' && each !== null)
}

function expected(what: string, got: unknown, where: string): MillraceError {
  return invalid(`${where}: expected ${what}, got ${describe(got)}; give one or leave it out`)
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
