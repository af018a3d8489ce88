import type { StageHistograms } from '../engine/histograms.ts'
import type { CacheStats, StageStats } from '../engine/stats.ts'
import type { EngineReading } from './engine-reading.ts'
import type { HistogramSample, MetricDefinition, Sample } from './metric-definition.ts'

const rowOutcomes = [
  ['completed', 'rows'],
  ['failed', 'failedRows'],
  ['shed', 'shedRows'],
  ['skipped', 'skippedRows'],
] as const

const cacheResults = [
  ['hit', 'hitRows'],
  ['shared', 'sharedRows'],
  ['missed', 'missedRows'],
] as const

/** The metrics of each stage. */
export const stageMetrics: readonly MetricDefinition[] = [
  {
    name: 'stage_queue_seconds',
    type: 'histogram',
    help: 'Time that rows waited for a batch.',
    labels: ['stage'],
    aggregator: 'sum',
    read: (reading) => distribution(reading, { of: 'queueMs', bounds: 'stageMs', unit: 1_000 }),
  },
  {
    name: 'stage_service_seconds',
    type: 'histogram',
    help: 'Time that batches took.',
    labels: ['stage'],
    aggregator: 'sum',
    read: (reading) => distribution(reading, { of: 'serviceMs', bounds: 'stageMs', unit: 1_000 }),
  },
  {
    name: 'stage_batch_rows',
    type: 'histogram',
    help: 'Rows of batches.',
    labels: ['stage'],
    aggregator: 'sum',
    read: (reading) => distribution(reading, { of: 'batchRows', bounds: 'batchRows', unit: 1 }),
  },
  {
    name: 'stage_rows_total',
    type: 'counter',
    help: 'Rows by what became of them: completed, failed, shed for want of time, or skipped since nobody waited any more.',
    labels: ['stage', 'outcome'],
    aggregator: 'sum',
    read: (reading) =>
      eachStage(reading, (stage) =>
        rowOutcomes.map(([outcome, counter]) => ({ labels: { outcome }, value: stage[counter] })),
      ),
  },
  {
    name: 'stage_busy_seconds_total',
    type: 'counter',
    help: 'Time that replicas spent on batches, all together.',
    labels: ['stage'],
    aggregator: 'sum',
    read: (reading) => eachStage(reading, ({ busyMs }) => one(busyMs / 1_000)),
  },
  {
    name: 'stage_retries_total',
    type: 'counter',
    help: 'Runs repeated with half of the rows, to find the one that fails.',
    labels: ['stage'],
    aggregator: 'sum',
    read: (reading) => eachStage(reading, ({ retries }) => one(retries)),
  },
  {
    name: 'stage_interrupted_batches_total',
    type: 'counter',
    help: 'Runs ended early, since nobody waited for any of their rows any more.',
    labels: ['stage'],
    aggregator: 'sum',
    read: (reading) => eachStage(reading, ({ interruptedBatches }) => one(interruptedBatches)),
  },
  {
    name: 'stage_waiting_rows',
    type: 'gauge',
    help: 'Rows that wait in the queue.',
    labels: ['stage'],
    aggregator: 'sum',
    read: (reading) => eachStage(reading, ({ waitingRows }) => one(waitingRows)),
  },
  {
    name: 'stage_replicas',
    type: 'gauge',
    help: 'Replicas that serve.',
    labels: ['stage'],
    aggregator: 'sum',
    read: (reading) => eachStage(reading, ({ replicas }) => one(replicas)),
  },
  {
    name: 'stage_fallback',
    type: 'gauge',
    help: '1 where the stage runs on its fallback, since a device is lost or cannot be used; 0 where it does not.',
    labels: ['stage'],
    aggregator: 'sum',
    read: (reading) => eachStage(reading, ({ fallback }) => one(fallback === undefined ? 0 : 1)),
  },
  {
    name: 'stage_cache_rows_total',
    type: 'counter',
    help: 'Rows by what the cache had for them: hit, shared with an equal row in flight, or missed; for stages with a cache.',
    labels: ['stage', 'result'],
    aggregator: 'sum',
    read: (reading) =>
      eachCache(reading, (cache) =>
        cacheResults.map(([result, counter]) => ({ labels: { result }, value: cache[counter] })),
      ),
  },
  {
    name: 'stage_cache_evictions_total',
    type: 'counter',
    help: 'Results given up for want of room; for stages with a cache.',
    labels: ['stage'],
    aggregator: 'sum',
    read: (reading) => eachCache(reading, ({ evictions }) => one(evictions)),
  },
  {
    name: 'stage_cache_bytes',
    type: 'gauge',
    help: 'Bytes that the cache holds; for stages with a cache.',
    labels: ['stage'],
    aggregator: 'sum',
    read: (reading) => eachCache(reading, ({ bytes }) => one(bytes)),
  },
]

function one(value: number): readonly Sample[] {
  return [{ labels: {}, value }]
}

function eachStage(
  { stats }: EngineReading,
  samples: (stage: StageStats) => readonly Sample[],
): readonly Sample[] {
  return Object.entries(stats.stages).flatMap(([stage, of]) => {
    return samples(of).map(({ labels, value }) => ({ labels: { stage, ...labels }, value }))
  })
}

function eachCache(
  reading: EngineReading,
  samples: (cache: CacheStats) => readonly Sample[],
): readonly Sample[] {
  return eachStage(reading, ({ cache }) => (cache === undefined ? [] : samples(cache)))
}

function distribution(
  { bounds: all, histograms }: EngineReading,
  {
    of,
    bounds,
    unit,
  }: {
    readonly of: keyof StageHistograms
    readonly bounds: 'stageMs' | 'batchRows'
    readonly unit: number
  },
): readonly HistogramSample[] {
  return Object.entries(histograms.stages).map(([stage, distributions]) => {
    return { labels: { stage }, bounds: all[bounds], histogram: distributions[of], unit }
  })
}
