import type { EngineReading } from './engine-reading.ts'
import { tidy } from './metric-buckets.ts'
import type { HistogramSample, Labels, MetricDefinition, Sample } from './metric-definition.ts'

/** An engine as its metrics see it. */
export interface MetricSource {
  /** Told apart by these from every other source of a registry. */
  readonly labels: Labels
  /** Undefined once there is nothing to read any more. */
  readonly reading: EngineReading | undefined
}

/** A value as registries write it. */
export interface MetricValue {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  /** Where it is not the metric's. */
  readonly metricName?: string
}

// Shared by all copies of this package in a process, while they agree on what it is.
const brand = Symbol.for('millrace.SharedMetric.1')

/**
 * A metric of all engines that one registry shows. Nothing is stored in it: a registry that asks is answered from what
 * the cores have counted. It is what prom-client's registries take for a metric: they call `get()`, and `reset()`.
 */
export class SharedMetric {
  /** Registries of the OpenMetrics format take `_total` off the names of counters, and put it back as they write. */
  name: string
  readonly help: string
  readonly type: MetricDefinition['type']
  readonly aggregator: MetricDefinition['aggregator']
  readonly #definition: MetricDefinition
  readonly #sources = new Set<MetricSource>()

  constructor(definition: MetricDefinition, prefix: string) {
    this.name = `${prefix}${definition.name}`
    this.help = definition.help
    this.type = definition.type
    this.aggregator = definition.aggregator
    this.#definition = definition
  }

  static is(value: unknown): value is SharedMetric {
    return typeof value === 'object' && value !== null && brand in value
  }

  /** A source that reads as these labels, if there is one. */
  sourceOf(labels: Labels): MetricSource | undefined {
    const wanted = keyOf(labels)
    return this.#live().find((source) => keyOf(source.labels) === wanted)
  }

  add(source: MetricSource): void {
    this.#sources.add(source)
  }

  /** True: it has none left. */
  remove(source: MetricSource): boolean {
    this.#sources.delete(source)
    return this.#live().length === 0
  }

  async get(): Promise<object> {
    const values = this.#live().flatMap((source) => this.#valuesOf(source))
    const { name, help, type, aggregator } = this
    return { name, help, type, values, aggregator }
  }

  /** Does nothing: the counts are the engines', and never fall while these live. */
  reset(): void {}

  #valuesOf({ labels, reading }: MetricSource): readonly MetricValue[] {
    const definition = this.#definition
    if (reading === undefined) return []
    if (definition.type !== 'histogram') {
      return definition.read(reading).map((sample) => plain(sample, labels))
    }
    return definition
      .read(reading)
      .flatMap((sample) => buckets(sample, { labels, name: this.name }))
  }

  // Engines may be collected without being closed.
  #live(): readonly MetricSource[] {
    for (const source of this.#sources) {
      if (source.reading === undefined) this.#sources.delete(source)
    }
    return [...this.#sources]
  }

  static {
    Object.defineProperty(SharedMetric.prototype, brand, { value: true })
  }
}

function plain(sample: Sample, labels: Labels): MetricValue {
  return { labels: { ...labels, ...sample.labels }, value: sample.value }
}

/** The buckets, the sum and the count of one distribution, as the text format has them. */
function buckets(
  { labels: own, bounds, histogram, unit }: HistogramSample,
  { labels: given, name }: { readonly labels: Labels; readonly name: string },
): readonly MetricValue[] {
  const labels = { ...given, ...own }
  const bucket = (le: number | string, value: number) => {
    return { labels: { ...labels, le }, value, metricName: `${name}_bucket` }
  }
  return [
    ...bounds.map((bound, index) => bucket(tidy(bound / unit), histogram.upTo[index] ?? 0)),
    bucket('+Inf', histogram.count),
    { labels, value: histogram.sum / unit, metricName: `${name}_sum` },
    { labels, value: histogram.count, metricName: `${name}_count` },
  ]
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
