import type { PlannedConfiguration } from '../estimator/estimate.ts'
import type { TunerEvents } from '../tuner/tuner-events.ts'
import type { TunerStats } from '../tuner/tuner-stats.ts'
import { formatCount, formatMs, formatNumber } from './quantity.ts'

/** What a tuner did while a trace was replayed. */
export interface TuningReport {
  /** In the order in which they were made. */
  readonly changes: readonly TunerEvents['scale'][]
  /** Plans that took the place of others, in order. */
  readonly plans: readonly NewPlan[]
  /** Whether a change that lasts was to be planned for. */
  readonly replans: boolean
  /** Messages of changes that failed. */
  readonly errors: readonly string[]
  readonly stats: TunerStats
}

export interface NewPlan {
  /** Since the trace began. */
  readonly atMs: number
  readonly configuration: PlannedConfiguration
  readonly costPerHour: number
  readonly costPerHourBefore: number
}

/** More would push everything else off the screen; --json has them all. */
const mostChangesShown = 40

/** For a person to read: a line for each change, with its reason. */
export function formatTuning({ changes, plans, replans, errors, stats }: TuningReport): string {
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
  const planned = replans
    ? [`Plans made anew: ${formatCount(plans.length)}`, ...plans.map(planText)]
    : []
  const failed = errors.map((message) => `  failed: ${message}`)
  return [title, ...shown, ...rest, ...planned, ...failed].join('\n')
}

function planText({ atMs, configuration, costPerHour, costPerHourBefore }: NewPlan): string {
  const stages = Object.entries(configuration).map(([name, { replicas, tier, maxBatch }]) => {
    return `${name} ${replicas} x ${tier}, batch ${maxBatch}`
  })
  const costs = `${formatNumber(costPerHourBefore)}/h to ${formatNumber(costPerHour)}/h`
  return `  at ${formatNumber(atMs / 1000)} s: ${stages.join('; ')} (${costs})`
}
