import { describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { Trace } from '../workload/trace.ts'

/** Beyond it, nanoseconds are no longer exact: a hundred days. */
const latestMs = 8.64e9

/**
 * The arrivals of a trace.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION where there are none, or they do not ascend from 0 on.
 */
export function checkArrivals({ arrivalsMs }: Trace): Float64Array {
  if (!(arrivalsMs instanceof Float64Array)) {
    throw invalid(
      `expected arrivalsMs as a Float64Array, got ${describe(arrivalsMs)}; give a Trace`,
    )
  }
  if (arrivalsMs.length === 0) {
    throw invalid('expected at least one arrival, got an empty trace; give one with requests')
  }
  let beforeMs = 0
  for (let at = 0; at < arrivalsMs.length; at++) {
    const atMs = arrivalsMs[at] as number
    // Also for NaN.
    if (!(atMs >= beforeMs && atMs <= latestMs)) throw misplaced(atMs, { at, beforeMs })
    beforeMs = atMs
  }
  return arrivalsMs
}

function misplaced(
  atMs: number,
  { at, beforeMs }: { readonly at: number; readonly beforeMs: number },
): MillraceError {
  return invalid(
    `expected arrivals that ascend, from ${beforeMs} to ${latestMs} ms after arrival ${at}, got ${atMs} ms; sort them`,
  )
}

function invalid(problem: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message: `trace: ${problem}` })
}
