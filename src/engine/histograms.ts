import { checkNumber, checkObject, describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { NativeEngine } from '../native/addon.ts'
import type { NativeHistogram, NativeHistogramBounds } from '../native/stats.ts'

/** Up to which values distributions are counted: for each, at most 1024 bounds in ascending order, each at least 0. */
export interface HistogramBounds extends NativeHistogramBounds {
  /** Milliseconds of requests. */
  readonly latencyMs: readonly number[]
  /** Milliseconds that rows waited for a batch at a stage, and that batches took. */
  readonly stageMs: readonly number[]
  /** Rows of batches. */
  readonly batchRows: readonly number[]
}

/** A distribution since the engine started, counted up to bounds. No number of it ever falls. */
export interface Histogram extends NativeHistogram {
  /**
   * For each bound, how many values lie at or below it. Values are kept to within 1.6 %: those less than that below a bound
   * may not be counted; none above it is.
   */
  readonly upTo: readonly number[]
  /** How many values there are. */
  readonly count: number
  /** Their sum, in the unit of the bounds. */
  readonly sum: number
}

/** The distributions of `stats()`, counted up to bounds. */
export interface EngineHistograms<Stages extends string = string> {
  /** Milliseconds from submission to the end of completed requests, in the core. */
  readonly latencyMs: Histogram
  /** By stage: its waits and its batches. */
  readonly stages: Readonly<Record<Stages, StageHistograms>>
}

/** The distributions of one stage. */
export interface StageHistograms {
  /** Milliseconds rows waited for a batch. */
  readonly queueMs: Histogram
  /** Milliseconds batches took. */
  readonly serviceMs: Histogram
  /** Rows of batches. */
  readonly batchRows: Histogram
}

const keys = ['latencyMs', 'stageMs', 'batchRows'] as const
const mostBounds = 1024

/** @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function readHistograms<Stages extends string>(
  native: NativeEngine,
  bounds: unknown,
): EngineHistograms<Stages> {
  const { latencyMs, stageMs, batchRows } = checkObject(bounds, { name: 'bounds', keys })
  return native.histograms({
    latencyMs: checkBounds(latencyMs, 'bounds.latencyMs'),
    stageMs: checkBounds(stageMs, 'bounds.stageMs'),
    batchRows: checkBounds(batchRows, 'bounds.batchRows'),
  }) as EngineHistograms<Stages>
}

/** Numbers in ascending order, of which each is at least 0. @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function checkBounds(value: unknown, name: string): readonly number[] {
  if (!Array.isArray(value) || value.length > mostBounds) {
    const expected = `expected an array of at most ${mostBounds} numbers, got ${describe(value)}`
    throw invalid(`${name}: ${expected}; give bounds such as [1, 10, 100]`)
  }
  const bounds = value.map((bound, index) => {
    return checkNumber(bound, { name: `${name}[${index}]`, min: 0 })
  })
  const fallen = bounds.findIndex((bound, index) => bound <= (bounds[index - 1] ?? -1))
  if (fallen < 0) return bounds
  const problem = `expected bounds in ascending order, got ${bounds[fallen]} after ${bounds[fallen - 1]}`
  throw invalid(`${name}: ${problem}; sort them and give none twice`)
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
