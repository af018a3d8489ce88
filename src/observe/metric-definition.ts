import type { Histogram } from '../engine/histograms.ts'
import type { EngineReading } from './engine-reading.ts'

/** One metric as Prometheus knows it: its name, what it means, and how it follows from a reading of an engine. */
export type MetricDefinition = MetricHeader &
  (
    | { readonly type: 'counter'; readonly read: (reading: EngineReading) => readonly Sample[] }
    | { readonly type: 'gauge'; readonly read: (reading: EngineReading) => readonly Sample[] }
    | {
        readonly type: 'histogram'
        readonly read: (reading: EngineReading) => readonly HistogramSample[]
      }
  )

interface MetricHeader {
  /** Without the prefix. */
  readonly name: string
  readonly help: string
  /** Beside `pipeline` and those of the host. */
  readonly labels: readonly string[]
  /** How the values of several processes of a cluster become one. */
  readonly aggregator: 'sum' | 'average' | 'first' | 'min'
}

/** Names and values that tell the series of a metric apart. */
export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
}

export interface HistogramSample {
  readonly labels: Labels
  /** Upper ends of the buckets, in the unit of the metric. */
  readonly bounds: readonly number[]
  readonly histogram: Histogram
  /** How many units of the histogram are one of the metric's. */
  readonly unit: number
}
