import type { SimulatedStageStats } from '../../estimator/simulated-run.ts'
import type { Controlled } from '../live-run.ts'

/** What a stage did between two looks at it. */
export interface StageInterval {
  readonly replicas: number
  /** Rows that wait, now. */
  readonly waitingRows: number
  /** Rows whose batch ended. */
  readonly rows: number
  readonly batches: number
  /** Milliseconds of batches, of all replicas together. */
  readonly busyMs: number
}

interface Totals {
  readonly visits: number
  readonly batches: number
  readonly busyMs: number
}

const nothing: Totals = { visits: 0, batches: 0, busyMs: 0 }

/** Turns the running totals of a simulated run into what happened since the last look. */
export class StageCounters {
  readonly #controlled: Controlled
  readonly #before = new Map<string, Totals>()

  constructor(controlled: Controlled) {
    this.#controlled = controlled
  }

  next(): ReadonlyMap<string, StageInterval> {
    const { run, engine } = this.#controlled
    const { stages } = run.stats({ latencyMs: Number.POSITIVE_INFINITY })
    const paid = engine.stats().stages
    const intervals = Object.entries(stages).map(([stage, stats]) => {
      return [
        stage,
        this.#interval(stage, { stats, replicas: paid[stage]?.replicas ?? 0 }),
      ] as const
    })
    return new Map(intervals)
  }

  #interval(
    stage: string,
    { stats, replicas }: { readonly stats: SimulatedStageStats; readonly replicas: number },
  ): StageInterval {
    const { visits, batches, utilization, waitingRows } = stats
    const busyMs = utilization * this.#controlled.times.servingMs(stage)
    const before = this.#before.get(stage) ?? nothing
    this.#before.set(stage, { visits, batches, busyMs })
    return {
      replicas,
      waitingRows,
      rows: visits - before.visits,
      batches: batches - before.batches,
      busyMs: Math.max(0, busyMs - before.busyMs),
    }
  }
}
