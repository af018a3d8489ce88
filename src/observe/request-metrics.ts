import type { RequestStats } from '../engine/stats.ts'
import { countsOf, type WindowAttainment } from './attainment.ts'
import type { EngineReading } from './engine-reading.ts'
import type { MetricDefinition, Sample } from './metric-definition.ts'

/** Outcome and reason of each counter of requests. */
const outcomes: readonly (readonly [
  outcome: string,
  reason: string,
  counter: keyof RequestStats,
])[] = [
  ['completed', 'answered', 'completed'],
  ['failed', 'stage_failed', 'failed'],
  ['expired', 'deadline', 'deadlineExceeded'],
  ['refused', 'queue_full', 'queueFull'],
  ['refused', 'shed', 'shed'],
  ['cancelled', 'client', 'cancelled'],
  ['closed', 'engine_closed', 'closed'],
]

/** The metrics of requests, and of the promise that is made for them. */
export const requestMetrics: readonly MetricDefinition[] = [
  {
    name: 'request_duration_seconds',
    type: 'histogram',
    help: 'Time from submission to the end of completed requests, in the core.',
    labels: [],
    aggregator: 'sum',
    read: ({ bounds, histograms }) => [
      { labels: {}, bounds: bounds.latencyMs, histogram: histograms.latencyMs, unit: 1_000 },
    ],
  },
  {
    name: 'requests_total',
    type: 'counter',
    help: 'Requests that ended, by what became of them and why.',
    labels: ['outcome', 'reason'],
    aggregator: 'sum',
    read: ({ stats }) =>
      outcomes.map(([outcome, reason, counter]) => {
        return { labels: { outcome, reason }, value: stats.requests[counter] }
      }),
  },
  {
    name: 'objective_requests_total',
    type: 'counter',
    help: 'Requests that count for the objective: all that ended but those their clients cancelled.',
    labels: [],
    aggregator: 'sum',
    read: (reading) => promised(reading, () => countsOf(reading.stats.requests).requests),
  },
  {
    name: 'objective_met_total',
    type: 'counter',
    help: "Requests answered within the objective's latency, counted exactly.",
    labels: [],
    aggregator: 'sum',
    read: (reading) => promised(reading, () => reading.stats.requests.withinObjective),
  },
  {
    name: 'objective_latency_seconds',
    type: 'gauge',
    help: 'Latency that the objective promises.',
    labels: [],
    aggregator: 'first',
    read: (reading) => promised(reading, ({ latencyMs }) => latencyMs / 1_000),
  },
  {
    name: 'objective_ratio',
    type: 'gauge',
    help: 'Share of requests that the objective promises to answer within its latency.',
    labels: [],
    aggregator: 'first',
    read: (reading) => promised(reading, ({ percentile }) => percentile / 100),
  },
  {
    name: 'attainment_ratio',
    type: 'gauge',
    help: "Share of requests answered within the objective's latency, over the last 1m and 30m; absent without requests.",
    labels: ['window'],
    aggregator: 'average',
    read: (reading) => windows(reading, ({ attainment }) => attainment),
  },
  {
    name: 'error_budget_burn_rate',
    type: 'gauge',
    help: 'How many times as fast as allowed misses come, over the last 1m and 30m; absent without requests.',
    labels: ['window'],
    aggregator: 'average',
    read: (reading) => windows(reading, ({ burnRate }) => burnRate),
  },
  {
    name: 'pending_requests',
    type: 'gauge',
    help: 'Requests accepted and not answered.',
    labels: [],
    aggregator: 'sum',
    read: ({ stats }) => [{ labels: {}, value: stats.pendingRequests }],
  },
  {
    name: 'pending_rows',
    type: 'gauge',
    help: 'Rows in the pipeline, waiting or running, items of fan-outs included.',
    labels: [],
    aggregator: 'sum',
    read: ({ stats }) => [{ labels: {}, value: stats.pendingRows }],
  },
  {
    name: 'cost_per_hour',
    type: 'gauge',
    help: 'What the replicas cost an hour, in the currency of the prices; absent where a tier has none.',
    labels: [],
    aggregator: 'sum',
    read: ({ costPerHour }) =>
      costPerHour === undefined ? [] : [{ labels: {}, value: costPerHour }],
  },
  {
    name: 'ready',
    type: 'gauge',
    help: '1 while every stage has a replica, 0 while requests would wait for one.',
    labels: [],
    aggregator: 'min',
    read: ({ stats }) => {
      const ready = Object.values(stats.stages).every(({ replicas }) => replicas > 0)
      return [{ labels: {}, value: ready ? 1 : 0 }]
    },
  },
]

function promised(
  { objective }: EngineReading,
  value: (objective: { latencyMs: number; percentile: number }) => number,
): readonly Sample[] {
  return objective === undefined ? [] : [{ labels: {}, value: value(objective) }]
}

function windows(
  { attainment }: EngineReading,
  figure: (window: WindowAttainment) => number | undefined,
): readonly Sample[] {
  if (attainment === undefined) return []
  const named = [
    ['1m', attainment.lastMinute],
    ['30m', attainment.last30Minutes],
  ] as const
  return named.flatMap(([window, over]) => {
    const value = figure(over)
    return value === undefined ? [] : [{ labels: { window }, value }]
  })
}
