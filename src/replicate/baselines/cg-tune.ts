import type { Plan } from '../../planner/plan.ts'
import type { Control } from '../live-run.ts'

export interface CgTuneOptions {
  /** A coarse-grained plan, whose box is what one replica of every stage can do. */
  readonly plan: Plan
  /** Which rate has to be sustained: the mean of the last second, or the most arrivals in a window as long as the objective. */
  readonly rate: 'mean' | 'peak'
  /** Milliseconds over which arrivals are counted. Default 10,000. */
  readonly windowMs?: number | undefined
  /** Milliseconds that a box must have been idle before it is released. Default 120,000 (AutoScale, section 4). */
  readonly releaseAfterMs?: number | undefined
}

const checkEveryMs = 1000

/**
 * The coarse-grained tuner that InferLine is compared with (section 6.2): the pipeline as one black box, of which there are as
 * many as the request rate needs by AutoScale's rule (Gandhi et al., TOCS 2012): capacity is added as soon as the rate asks
 * for it, and released only after it was idle for two minutes.
 */
export function cgTune(options: CgTuneOptions): Control {
  const { plan, rate, windowMs = 10_000, releaseAfterMs = 120_000 } = options
  const boxRatePerS = boxRate(plan)
  const stages = Object.keys(plan.configuration)
  return ({ engine }) => {
    const recent = new RecentArrivals(windowMs)
    engine.watchArrivals(() => recent.add(engine.time.now()))
    const needs: { readonly atMs: number; readonly boxes: number }[] = []
    engine.time.every(checkEveryMs, () => {
      const nowMs = engine.time.now()
      const ratePerS =
        rate === 'mean' ? recent.ratePerS(nowMs) : recent.peakPerS(nowMs, plan.objective.latencyMs)
      needs.push({ atMs: nowMs, boxes: Math.max(1, Math.ceil(ratePerS / boxRatePerS)) })
      while ((needs[0]?.atMs ?? nowMs) < nowMs - releaseAfterMs) needs.shift()
      const boxes = Math.max(...needs.map((need) => need.boxes))
      const present = engine.stats().stages[stages[0] ?? '']?.replicas ?? 0
      // Before anything is known of two minutes, nothing has been idle for them.
      const isKnown = nowMs >= releaseAfterMs
      if (boxes > present || (boxes < present && isKnown)) {
        for (const stage of stages) void engine.scale(stage, boxes)
      }
    })
  }
}

/** Requests a second of one replica of every stage. */
function boxRate({ tuning }: Plan): number {
  const rates = Object.values(tuning.stages).map(({ replicaRatePerS, scaleFactor }) => {
    return replicaRatePerS / scaleFactor
  })
  return Math.min(...rates)
}

class RecentArrivals {
  readonly #windowMs: number
  #atMs: number[] = []

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  add(atMs: number): void {
    this.#atMs.push(atMs)
  }

  ratePerS(nowMs: number): number {
    this.#forget(nowMs)
    return (1000 * this.#atMs.length) / Math.min(this.#windowMs, nowMs)
  }

  /** The most in any window of a length, over that length. */
  peakPerS(nowMs: number, lengthMs: number): number {
    this.#forget(nowMs)
    let [oldest, most] = [0, 0]
    for (const [newest, atMs] of this.#atMs.entries()) {
      while (atMs - (this.#atMs[oldest] ?? atMs) >= lengthMs) oldest += 1
      most = Math.max(most, newest - oldest + 1)
    }
    return (1000 * most) / lengthMs
  }

  #forget(nowMs: number): void {
    const first = this.#atMs.findIndex((atMs) => atMs > nowMs - this.#windowMs)
    this.#atMs = first < 0 ? [] : this.#atMs.slice(first)
  }
}
