import type { Plan } from '../../planner/plan.ts'
import type { Control } from '../live-run.ts'

export interface CgTuneOptions {
  readonly plan: Plan
  /**
   * What it has more or fewer of. `boxes`: of a coarse-grained plan, all of whose stages have as many replicas; a box is one of
   * each. `copies`: of any plan, whole copies of it, each good for the rate that its slowest stage can sustain: the same rule.
   * `proportional`: of any plan, all stages grow with the rate, each by single replicas and with the slack that it was planned
   * with, which is more than the published rule does. Default `boxes`.
   */
  readonly unit?: 'boxes' | 'copies' | 'proportional' | undefined
  /** Which rate has to be sustained: the mean over the window, or the most arrivals in a window as long as the objective. */
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
  const { plan, rate, unit = 'boxes', windowMs = 10_000, releaseAfterMs = 120_000 } = options
  const replicasAt = unit === 'proportional' ? proportional(plan) : unitsOf(plan, unit)
  return ({ engine }) => {
    const recent = new RecentArrivals(windowMs)
    engine.watchArrivals(() => recent.add(engine.time.now()))
    const needs: { readonly atMs: number; readonly ratePerS: number }[] = []
    engine.time.every(checkEveryMs, () => {
      const nowMs = engine.time.now()
      const ratePerS =
        rate === 'mean' ? recent.ratePerS(nowMs) : recent.peakPerS(nowMs, plan.objective.latencyMs)
      needs.push({ atMs: nowMs, ratePerS })
      while ((needs[0]?.atMs ?? nowMs) < nowMs - releaseAfterMs) needs.shift()
      const wanted = replicasAt(Math.max(...needs.map((need) => need.ratePerS)))
      const { stages } = engine.stats()
      for (const [stage, replicas] of wanted) {
        const present = stages[stage]?.replicas ?? 0
        // Before two minutes are known, nothing has been idle for them.
        const mayGo = nowMs >= releaseAfterMs
        if (replicas > present || (replicas < present && mayGo)) void engine.scale(stage, replicas)
      }
    })
  }
}

type ReplicasAt = (ratePerS: number) => ReadonlyMap<string, number>

function unitsOf({ tuning, configuration }: Plan, unit: 'boxes' | 'copies'): ReplicasAt {
  const stages = Object.entries(tuning.stages).map(([name, { replicaRatePerS, scaleFactor }]) => {
    const replicas = unit === 'boxes' ? 1 : (configuration[name]?.replicas ?? 1)
    return { name, replicas, ratePerS: (replicas * replicaRatePerS) / scaleFactor }
  })
  const unitRatePerS = Math.min(...stages.map((stage) => stage.ratePerS))
  return (ratePerS) => {
    const units = Math.max(1, Math.ceil(ratePerS / unitRatePerS - rounding))
    return new Map(stages.map(({ name, replicas }) => [name, units * replicas]))
  }
}

function proportional({ tuning }: Plan): ReplicasAt {
  const planned = Object.entries(tuning.stages).map(
    ([stage, { replicaRatePerS, scaleFactor, load }]) => {
      return { stage, perRequestPerS: scaleFactor / (load * replicaRatePerS) }
    },
  )
  return (ratePerS) => {
    const replicas = planned.map(({ stage, perRequestPerS }): [string, number] => {
      return [stage, Math.max(1, Math.ceil(ratePerS * perRequestPerS - rounding))]
    })
    return new Map(replicas)
  }
}

const rounding = 1e-9

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
