import { checkInteger, checkNumber, checkObject, checkOneOf, describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { RatePoint } from './rate-curve.ts'
import { type TraceShape, traceShapes } from './shapes.ts'

/** What all arrival processes have in common. */
export interface ArrivalOptions {
  /**
   * Squared coefficient of variation of the gaps between arrivals, from 0 to 1000: 0 is even, 1 is Poisson, 4 comes in
   * bursts (what InferLine plots as "CV 4"). Default 1.
   */
  readonly cv2?: number | undefined
  /** Which trace of all those there are: an integer from 0 to 2^53 - 1. Default 1. */
  readonly seed?: number | undefined
}

/** A trace at one rate. */
export interface GammaTraceOptions extends ArrivalOptions {
  /** Mean rate in requests per second, above 0. */
  readonly ratePerS: number
  /** Milliseconds that it lasts, above 0. */
  readonly durationMs: number
}

/** A trace at a rate that changes in a known way. */
export interface ShapedTraceOptions extends ArrivalOptions {
  /** How it changes. */
  readonly shape: TraceShape
  /** The highest rate of the shape in requests per second, above 0; of `ramp`, the rate at its end. */
  readonly ratePerS: number
  /** Milliseconds that it lasts, above 0. */
  readonly durationMs: number
  /** Of `ramp` alone: the rate at its start in requests per second, at least 0. Default half of `ratePerS`. */
  readonly fromRatePerS?: number | undefined
  /**
   * Of `ramp` alone: milliseconds from one rate to the other, in the middle of the trace; from 0 to `durationMs`. Default
   * a tenth of `durationMs`.
   */
  readonly transitionMs?: number | undefined
}

/** A trace at rates that are given. */
export interface RatesTraceOptions extends ArrivalOptions {
  /**
   * The rate at some moments, at least one, ascending in time; straight lines between them, steps where two are at the same
   * time.
   */
  readonly points: readonly RatePoint[]
  /** Milliseconds that it lasts, above 0. Default: the time of the last point. */
  readonly durationMs?: number | undefined
}

/** More would not fit in memory, and nobody could have meant them. */
export const mostArrivals = 100_000_000

const mostPerS = 1e9
const longestMs = 1e12
const commonKeys = ['cv2', 'seed', 'durationMs'] as const

/** The options of {@link Trace.gamma} with their defaults. */
export function checkGammaOptions(options: GammaTraceOptions) {
  const given = checkObject(options, { name: 'gamma options', keys: [...commonKeys, 'ratePerS'] })
  return { ratePerS: checkRate(given.ratePerS), ...checkCommon(given) }
}

/** The options of {@link Trace.shaped} with their defaults. */
export function checkShapedOptions(options: ShapedTraceOptions) {
  const keys = [...commonKeys, 'shape', 'ratePerS', 'fromRatePerS', 'transitionMs'] as const
  const given = checkObject(options, { name: 'shaped options', keys })
  const shape = checkOneOf(given.shape, { name: 'shape', choices: traceShapes })
  const common = { ratePerS: checkRate(given.ratePerS), ...checkCommon(given) }
  if (shape === 'ramp') return { shape, ...common, ...checkRamp(given, common) }
  for (const name of ['fromRatePerS', 'transitionMs'] as const) {
    if (given[name] !== undefined) throw onlyOfRamp(name, shape)
  }
  return { shape, ...common }
}

/** The options of {@link Trace.ofRates} with their defaults. */
export function checkRatesOptions(options: RatesTraceOptions) {
  const given = checkObject(options, { name: 'rates options', keys: [...commonKeys, 'points'] })
  const points = checkPoints(given.points)
  const { durationMs = points.at(-1)?.atMs } = given
  return { points, ...checkCommon({ ...given, durationMs }) }
}

function checkCommon(given: Readonly<Record<string, unknown>>) {
  const { cv2 = 1, seed = 1, durationMs } = given
  return {
    cv2: checkNumber(cv2, { name: 'cv2', min: 0, max: 1000 }),
    durationMs: checkNumber(durationMs, { name: 'durationMs', above: 0, max: longestMs }),
    seed: checkInteger(seed, { name: 'seed', min: 0 }),
  }
}

function checkRate(value: unknown): number {
  return checkNumber(value, { name: 'ratePerS', above: 0, max: mostPerS })
}

function checkRamp(
  given: Readonly<Record<string, unknown>>,
  { ratePerS, durationMs }: { readonly ratePerS: number; readonly durationMs: number },
) {
  const { fromRatePerS = ratePerS / 2, transitionMs = durationMs / 10 } = given
  return {
    fromRatePerS: checkNumber(fromRatePerS, { name: 'fromRatePerS', min: 0, max: mostPerS }),
    transitionMs: checkNumber(transitionMs, { name: 'transitionMs', min: 0, max: durationMs }),
  }
}

function checkPoints(value: unknown): readonly RatePoint[] {
  if (!Array.isArray(value) || value.length === 0) {
    const got = describe(value)
    throw invalid(`points: expected an array of at least one { atMs, ratePerS }, got ${got}`)
  }
  let beforeMs = 0
  return value.map((point: unknown, index) => {
    const name = `points[${index}]`
    const given = checkObject(point, { name, keys: ['atMs', 'ratePerS'] })
    const fix = 'give the points in the order of their times'
    const at = { name: `${name}.atMs`, min: beforeMs, max: longestMs, fix }
    const rate = { name: `${name}.ratePerS`, min: 0, max: mostPerS }
    beforeMs = checkNumber(given.atMs, at)
    return { atMs: beforeMs, ratePerS: checkNumber(given.ratePerS, rate) }
  })
}

function onlyOfRamp(name: string, shape: string): MillraceError {
  return invalid(
    `${name}: expected only with the shape "ramp", got it with "${shape}"; leave it out`,
  )
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
