import type { TraceStats } from '../workload/trace-stats.ts'
import { formatCount, formatNumber, formatRate } from './quantity.ts'
import { formatPairs } from './table.ts'

/** For a person to read. What a trace is too short for is a dash. */
export function formatTrace({ stats }: { readonly stats: TraceStats }): string {
  const { requests, durationMs, ratePerS, cv2, dispersion, peakToMean } = stats
  const number = (value: number | null) => formatNumber(value ?? undefined)
  return formatPairs([
    ['requests', formatCount(requests)],
    ['duration', `${formatNumber(durationMs / 1000)} s`],
    ['rate', ratePerS === null ? '-' : formatRate(ratePerS)],
    ['cv2', `${number(cv2)} (squared coefficient of variation of the gaps)`],
    [
      'dispersion',
      `${number(dispersion.at1s)} at 1 s, ${number(dispersion.at10s)} at 10 s, ${number(dispersion.at60s)} at 60 s (variance over mean of counts)`,
    ],
    ['peak/mean', `${number(peakToMean.at1s)} at 1 s, ${number(peakToMean.at60s)} at 60 s`],
  ])
}
