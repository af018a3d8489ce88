import type { Estimate } from '../estimator/estimate.ts'
import { formatCost, formatCount, formatMs, formatNumber, formatShare } from './quantity.ts'
import { formatPairs, formatTable } from './table.ts'

/** For a person to read: what a configuration would make of a trace, and of each stage. */
export function formatEstimate(
  estimate: Estimate,
  { latencyMs }: { readonly latencyMs: number },
): string {
  return [formatPairs(estimatePairs(estimate, { latencyMs })), formatStages(estimate)].join('\n\n')
}

/** The same without the stages, line by line. */
export function estimatePairs(
  estimate: Estimate,
  { latencyMs }: { readonly latencyMs: number },
): readonly (readonly [string, string])[] {
  const { requests, p50Ms, p95Ms, p99Ms, maxMs, attainment, costPerHour } = estimate
  const { watts, accuracy } = estimate
  const percentiles = { p50: p50Ms, p95: p95Ms, p99: p99Ms, max: maxMs }
  const latency = Object.entries(percentiles).map(([name, value]) => `${name} ${formatMs(value)}`)
  return [
    ['requests', formatCount(requests)],
    ['latency', latency.join(', ')],
    ['attainment', `${formatShare(attainment)} within ${latencyMs} ms`],
    ['cost', formatCost(costPerHour)],
    ...(accuracy === undefined ? [] : [['accuracy', formatShare(accuracy)] as const]),
    ...(watts === undefined ? [] : [['power', `${formatNumber(watts)} W`] as const]),
  ]
}

function formatStages({ stages }: Estimate): string {
  const heading = ['stage', 'rows', 'mean batch', 'busy', 'queue p99']
  const rows = Object.entries(stages).map(([name, stage]) => [
    name,
    formatCount(stage.visits),
    formatNumber(stage.meanBatch),
    formatShare(stage.utilization),
    formatMs(stage.queueP99Ms),
  ])
  return formatTable([heading, ...rows])
}
