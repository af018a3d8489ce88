import { MillraceError } from '../errors.ts'
import type { Arrivals } from './arrivals.ts'
import { wholeMicroseconds } from './gamma-arrivals.ts'

/** The arrivals from `fromMs` on and before `toMs`, counted from `fromMs`; a last one at the very end is one of them. */
export function slice(
  { arrivalsMs, meta }: Arrivals,
  range: { readonly fromMs: number; readonly toMs: number; readonly durationMs: number },
): Arrivals {
  const { fromMs, durationMs } = range
  const toMs = Math.min(range.toMs, durationMs)
  const first = indexAt(arrivalsMs, fromMs)
  const end = range.toMs >= durationMs ? arrivalsMs.length : indexAt(arrivalsMs, toMs)
  if (first >= end) throw emptySlice(fromMs, range.toMs)
  return {
    arrivalsMs: arrivalsMs.slice(first, end).map((timeMs) => wholeNanoseconds(timeMs - fromMs)),
    meta: {
      ...meta,
      durationMs: wholeNanoseconds(toMs - fromMs),
      changes: changesOf(meta, { slice: { fromMs, toMs } }),
    },
  }
}

/** All times stretched by the same factor. */
export function atRate(
  { arrivalsMs, meta }: Arrivals,
  { ratePerS, durationMs }: { readonly ratePerS: number; readonly durationMs: number },
): Arrivals {
  const stretchedMs = (arrivalsMs.length / ratePerS) * 1000
  const factor = stretchedMs / durationMs
  if (!(factor > 0 && Number.isFinite(factor))) throw notStretched(ratePerS, durationMs)
  return {
    arrivalsMs: arrivalsMs.map((timeMs) => wholeMicroseconds(timeMs * factor)),
    meta: {
      ...meta,
      durationMs: durationMs * factor,
      changes: changesOf(meta, { atRate: { ratePerS } }),
    },
  }
}

/** Without it the rest of `meta` would tell how another trace was made. */
function changesOf({ changes }: Arrivals['meta'], change: unknown): readonly unknown[] {
  return [...(Array.isArray(changes) ? (changes as readonly unknown[]) : []), change]
}

/** The index of the first arrival that is not before the time. */
function indexAt(arrivalsMs: Float64Array, timeMs: number): number {
  let [low, high] = [0, arrivalsMs.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((arrivalsMs[middle] as number) < timeMs) low = middle + 1
    else high = middle
  }
  return low
}

/** Rid of the digits that a difference of decimals leaves behind. */
function wholeNanoseconds(timeMs: number): number {
  return Math.round(timeMs * 1e6) / 1e6
}

function emptySlice(fromMs: number, toMs: number): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `slice: expected at least one arrival from ${fromMs} to ${toMs} ms, got none; take more of the trace`,
  })
}

function notStretched(ratePerS: number, durationMs: number): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `atRate: expected a trace that can be brought to ${ratePerS} requests/s, got one of ${durationMs} ms; give its meta a durationMs`,
  })
}
