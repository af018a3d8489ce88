import type { TunerEvents } from '../tuner/tuner-events.ts'
import type { TunerStats } from '../tuner/tuner-stats.ts'
import { formatCount, formatMs, formatNumber } from './quantity.ts'

/** What a tuner did while a trace was replayed. */
export interface TuningReport {
  /** In the order in which they were made. */
  readonly changes: readonly TunerEvents['scale'][]
  /** Messages of changes that failed. */
  readonly errors: readonly string[]
  readonly stats: TunerStats
}

/** More would push everything else off the screen; --json has them all. */
const mostChangesShown = 40

/** For a person to read: a line for each change, with its reason. */
export function formatTuning({ changes, errors, stats }: TuningReport): string {
  const { scaleUps, scaleDowns, decideMs, arrivals } = stats
  const decided =
    decideMs.count === 0
      ? ''
      : `; decided in ${formatMs(decideMs.mean)}, ${formatMs(decideMs.max)} at most`
  const title = `Tuned: ${scaleUps} times up, ${scaleDowns} times down, ${formatCount(arrivals)} arrivals${decided}`
  const shown = changes.slice(0, mostChangesShown).map(({ atMs, direction, reason }) => {
    return `  at ${formatNumber(atMs / 1000)} s ${direction}: ${reason}`
  })
  const left = changes.length - shown.length
  const rest = left > 0 ? [`  and ${formatCount(left)} more; --json has them`] : []
  return [title, ...shown, ...rest, ...errors.map((message) => `  failed: ${message}`)].join('\n')
}
