import { type Clock, nowMs } from '../clock.ts'
import type { HistogramBounds } from '../engine/histograms.ts'
import { Attainment } from './attainment.ts'
import { costPerHour, type Prices } from './cost-per-hour.ts'
import type { EngineReading, MeteredEngine } from './engine-reading.ts'
import type { Labels } from './metric-definition.ts'
import type { MetricSource } from './shared-metric.ts'

export interface SourceOptions {
  readonly labels: Labels
  readonly bounds: HistogramBounds
  readonly prices: Prices
  readonly clock?: Clock | undefined
}

/**
 * Reads an engine for its metrics, once a scrape: registries ask all metrics within one turn of the microtask queue. It
 * does not keep the engine from being collected.
 */
export class EngineSource implements MetricSource {
  readonly labels: Labels
  readonly #engine: WeakRef<MeteredEngine>
  readonly #options: SourceOptions
  readonly #attainment: Attainment | undefined
  #latest: EngineReading | undefined

  constructor(engine: MeteredEngine, options: SourceOptions) {
    const { objective } = engine.pipeline
    this.labels = options.labels
    this.#engine = new WeakRef(engine)
    this.#options = options
    this.#attainment = objective && new Attainment({ objective, clock: options.clock ?? nowMs })
    this.#attainment?.read(engine.stats().requests) // the windows begin here
  }

  get reading(): EngineReading | undefined {
    if (this.#latest !== undefined) return this.#latest
    const engine = this.#engine.deref()
    if (engine === undefined) return undefined
    queueMicrotask(() => {
      this.#latest = undefined
    })
    this.#latest = this.#read(engine)
    return this.#latest
  }

  #read(engine: MeteredEngine): EngineReading {
    const { bounds, prices } = this.#options
    const stats = engine.stats()
    return {
      objective: engine.pipeline.objective,
      stats,
      bounds,
      histograms: engine.histograms(bounds),
      attainment: this.#attainment?.read(stats.requests),
      costPerHour: costPerHour(engine.configuration, prices),
    }
  }
}
