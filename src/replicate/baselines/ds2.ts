import type { Plan } from '../../planner/plan.ts'
import type { Control } from '../live-run.ts'
import { StageCounters, type StageInterval } from './stage-counters.ts'

export interface Ds2Options {
  /** Of the tiers, batches and first replicas; the rates of replicas are observed. */
  readonly plan: Plan
  /** Milliseconds between two decisions, each by what was seen since the last. Default 10,000, as in its Flink experiments. */
  readonly everyMs?: number | undefined
  /** By how much what is provided exceeds the source rate. Default 1: not at all. */
  readonly headroom?: number | undefined
}

/**
 * As DS2 does (Kalavri et al., Three steps is all you need, OSDI 2018): each operator gets as many instances as the source
 * rate, times how often it runs for a record, needs at the _true_ rate of an instance, which is what it processed over the time
 * that it was busy. It provisions the average and knows no latency objective.
 */
export function ds2({ plan, everyMs = 10_000, headroom = 1 }: Ds2Options): Control {
  return (controlled) => {
    const { engine } = controlled
    const counters = new StageCounters(controlled)
    let arrivals = 0
    engine.watchArrivals(() => {
      arrivals += 1
    })
    engine.time.every(everyMs, () => {
      const ratePerS = (1000 * arrivals) / everyMs
      arrivals = 0
      for (const [stage, interval] of counters.next()) {
        const { scaleFactor = 1 } = plan.tuning.stages[stage] ?? {}
        const wanted = instances(interval, headroom * ratePerS * scaleFactor)
        if (wanted !== interval.replicas) void engine.scale(stage, wanted)
      }
    })
  }
}

/** As many as the rate needs by what they did while busy; unchanged where they did nothing. */
function instances({ rows, busyMs, replicas }: StageInterval, rowsPerS: number): number {
  if (rows === 0 || busyMs === 0) return replicas
  const trueRatePerS = (1000 * rows) / busyMs
  return Math.max(1, Math.ceil(rowsPerS / trueRatePerS - rounding))
}

const rounding = 1e-9
