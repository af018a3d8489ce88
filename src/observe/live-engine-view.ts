import { type Clock, nowMs } from '../clock.ts'
import type { EngineStats, RequestStats } from '../engine/stats.ts'
import { Attainment, type AttainmentReading, type WindowAttainment } from './attainment.ts'
import { costPerHour } from './cost-per-hour.ts'
import { liveGraph } from './live-graph.ts'
import { LiveLog } from './live-log.ts'
import type { WatchedEngine } from './live-options.ts'
import { livePlan } from './live-plan.ts'
import { type LiveReading, LiveReadings } from './live-readings.ts'
import {
  type LiveEngine,
  type LiveGraph,
  type LiveOutcome,
  type LivePoint,
  type LiveShare,
  type LiveStage,
  type LiveTuning,
  liveOutcomes,
} from './live-snapshot.ts'
import type { LiveEngineSource, LivePlanSource, LiveTunerSource } from './live-source.ts'
import { liveStage } from './live-stage.ts'
import { recentBounds, recentOf, sinceStart } from './recent.ts'

/** Points that are kept for whoever comes to watch. */
const mostPoints = 300

export interface LiveEngineViewOptions extends WatchedEngine {
  readonly name: string
  /** Milliseconds that what is recent is counted over. */
  readonly windowMs: number
  /** Default: the monotonic clock of the process. */
  readonly clock?: Clock | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly wallClock?: (() => number) | undefined
}

/** What one engine does, reading after reading: in constant memory, without a timer of its own. */
export class LiveEngineView {
  readonly #options: LiveEngineViewOptions
  readonly #graph: LiveGraph
  readonly #readings: LiveReadings
  readonly #log: LiveLog
  readonly #attainment: Attainment | undefined
  readonly #points: LivePoint[] = []
  readonly #onReplan = (event: unknown) => {
    this.#plan = (event as { readonly after: LivePlanSource }).after
  }
  #plan: LivePlanSource | undefined
  #hasEnded = false
  #now: LiveEngine

  constructor(options: LiveEngineViewOptions) {
    const { engine, tuner, plan, clock, wallClock } = options
    this.#options = options
    this.#graph = liveGraph(engine.pipeline)
    this.#readings = new LiveReadings(options.windowMs)
    this.#log = new LiveLog({ engine, tuner, wallClock })
    const { objective } = engine.pipeline
    this.#attainment = objective && new Attainment({ objective, clock })
    this.#plan = plan
    tuner?.on('replan', this.#onReplan)
    this.#now = this.read()
  }

  /** As it was at the last reading. */
  get now(): LiveEngine {
    return this.#now
  }

  /** The last minutes, oldest first. */
  get history(): readonly LivePoint[] {
    return this.#points
  }

  /** True once the engine was closed or is being drained, for ever. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  read(): LiveEngine {
    const { engine, clock = nowMs, wallClock = Date.now } = this.#options
    const stats = engine.stats()
    const histograms = engine.histograms(recentBounds)
    this.#readings.add({ atMs: clock(), stats, histograms })
    this.#hasEnded ||= engine.state !== 'serving'
    this.#now = this.#snapshot()
    this.#remember(this.#now, wallClock())
    if (this.#hasEnded) this.stop()
    return this.#now
  }

  /** Listens no more; may be called again. */
  stop(): void {
    this.#log.stop()
    this.#options.tuner?.off('replan', this.#onReplan)
  }

  #snapshot(): LiveEngine {
    const { name, engine, tuner, hardware } = this.#options
    const { pipeline } = engine
    const readings = this.#readings.all
    const [first, last] = [readings[0] as LiveReading, readings.at(-1) as LiveReading]
    const { stats } = last
    const windowMs = spanOf(readings)
    return {
      name,
      pipeline: pipeline.name,
      state: this.#hasEnded ? 'ended' : 'serving',
      objective: pipeline.objective ?? this.#plan?.objective,
      graph: this.#graph,
      windowMs,
      requests: outcomesOf(stats.requests),
      recentRequests: outcomesOf(stats.requests, first.stats.requests),
      ratePerS:
        windowMs > 0 ? (1000 * (cameOf(stats) - cameOf(first.stats))) / windowMs : undefined,
      pendingRequests: stats.pendingRequests,
      pendingRows: stats.pendingRows,
      latency: {
        recent: recentOf(first.histograms.latencyMs, last.histograms.latencyMs),
        sinceStart: sinceStart(stats.latencyMs),
      },
      attainment: sharesOf(this.#attainment?.read(stats.requests)),
      stages: stagesOf(engine, readings),
      costPerHour: hardware && costPerHour(staffOf(engine, stats), hardware),
      plan: this.#plan && livePlan(this.#plan),
      tuner: tuner && tuningOf(tuner),
      log: this.#log.events,
    }
  }

  #remember({ ratePerS, latency: { recent } }: LiveEngine, atMs: number): void {
    const { p50Ms, p95Ms, p99Ms } = recent ?? {}
    this.#points.push({ atMs, ratePerS, p50Ms, p95Ms, p99Ms })
    if (this.#points.length > mostPoints) this.#points.shift()
  }
}

function stagesOf(
  engine: LiveEngineSource,
  readings: readonly LiveReading[],
): Readonly<Record<string, LiveStage>> {
  const entries = Object.entries(engine.configuration).map(([name, configuration]) => {
    return [name, liveStage(name, { readings, configuration })] as const
  })
  return Object.fromEntries(entries)
}

/** Tiers as they are configured, replicas as there are. */
function staffOf({ configuration }: LiveEngineSource, { stages }: EngineStats) {
  const entries = Object.entries(configuration).map(([name, { tier }]) => {
    return [name, { tier, replicas: stages[name]?.replicas ?? 0 }] as const
  })
  return Object.fromEntries(entries)
}

function tuningOf(tuner: LiveTunerSource): LiveTuning {
  const { running, level, scaleUps, scaleDowns, replans } = tuner.stats()
  return { running, level, scaleUps, scaleDowns, replans }
}

function outcomesOf(
  now: RequestStats,
  before?: RequestStats,
): Readonly<Record<LiveOutcome, number>> {
  const counts = liveOutcomes.map((name) => [name, now[name] - (before?.[name] ?? 0)] as const)
  return Object.fromEntries(counts) as Record<LiveOutcome, number>
}

/** Requests that came: those that were answered somehow, and those that wait. */
function cameOf({ requests, pendingRequests }: EngineStats): number {
  return liveOutcomes.reduce((sum, name) => sum + requests[name], pendingRequests)
}

function spanOf(readings: readonly LiveReading[]): number {
  return (readings.at(-1)?.atMs ?? 0) - (readings[0]?.atMs ?? 0)
}

function sharesOf(reading: AttainmentReading | undefined) {
  if (reading === undefined) return undefined
  const { lastMinute, last30Minutes } = reading
  return { lastMinute: shareOf(lastMinute), last30Minutes: shareOf(last30Minutes) }
}

function shareOf({ coveredMs, requests, attainment, burnRate }: WindowAttainment): LiveShare {
  return { coveredMs, requests, attainment, burnRate }
}
