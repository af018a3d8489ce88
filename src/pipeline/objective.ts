import { checkNumber, checkObject } from '../check.ts'

/**
 * The promise a pipeline is planned and run for: this share of its requests is answered within this
 * time. Nothing enforces it: give each request a `deadlineMs` for that.
 */
export interface ObjectiveOptions {
  /** Milliseconds from the call to its result; above 0. */
  readonly latencyMs: number
  /** Share of requests in percent, above 0 and below 100, such as 99.9. Default 99. */
  readonly percentile?: number | undefined
}

/** An objective with its defaults filled in. */
export interface Objective {
  /** Milliseconds from the call to its result; above 0. */
  readonly latencyMs: number
  /** Share of requests in percent, above 0 and below 100. */
  readonly percentile: number
}

const code = 'MILLRACE_INVALID_PIPELINE'

/** A frozen objective, or undefined where none is given. */
export function checkObjective(value: unknown, where: string): Objective | undefined {
  if (value === undefined) return undefined
  const given = checkObject(value, { name: where, keys: ['latencyMs', 'percentile'], code })
  const { latencyMs, percentile = 99 } = given
  return Object.freeze({
    latencyMs: checkNumber(latencyMs, { name: `${where}, latencyMs`, above: 0, code }),
    percentile: checkNumber(percentile, {
      name: `${where}, percentile`,
      above: 0,
      below: 100,
      code,
    }),
  })
}
