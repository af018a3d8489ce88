import type { Control } from '../live-run.ts'
import { StageCounters, type StageInterval } from './stage-counters.ts'

/** The defaults of Ray Serve's `autoscaling_config` (2.x). */
export interface OngoingOptions {
  /** Requests in a replica or waiting for one that each should have. Default 2 (`target_ongoing_requests`). */
  readonly targetOngoing?: number | undefined
  /** Milliseconds from one look to the next. Default 10,000 (`metrics_interval_s`). */
  readonly everyMs?: number | undefined
  /** Milliseconds over which looks are averaged. Default 30,000 (`look_back_period_s`). */
  readonly lookBackMs?: number | undefined
  /** Milliseconds that more must have been wanted. Default 30,000 (`upscale_delay_s`). */
  readonly upAfterMs?: number | undefined
  /** Milliseconds that fewer must have been wanted. Default 600,000 (`downscale_delay_s`). */
  readonly downAfterMs?: number | undefined
  /** Replicas of a stage. Default 100 (`max_replicas` of `num_replicas="auto"`). */
  readonly maxReplicas?: number | undefined
}

interface StageState {
  readonly looks: number[]
  /** Since when more are wanted, or fewer. */
  upSinceMs: number | undefined
  downSinceMs: number | undefined
}

/**
 * Reactive scaling on concurrency, by the rule and the defaults of Ray Serve: each stage gets as many replicas as bring the
 * requests that wait or run in it, averaged over half a minute, to two a replica; after half a minute upwards, after ten
 * downwards.
 */
export function ongoing(options: OngoingOptions = {}): Control {
  const { targetOngoing = 2, everyMs = 10_000, lookBackMs = 30_000 } = options
  const { upAfterMs = 30_000, downAfterMs = 600_000, maxReplicas = 100 } = options
  return (controlled) => {
    const { engine } = controlled
    const counters = new StageCounters(controlled)
    const states = new Map<string, StageState>()
    engine.time.every(everyMs, () => {
      const nowMs = engine.time.now()
      for (const [stage, interval] of counters.next()) {
        const state = states.get(stage) ?? {
          looks: [],
          upSinceMs: undefined,
          downSinceMs: undefined,
        }
        states.set(stage, state)
        state.looks.push(ongoingRows(interval, everyMs))
        if (state.looks.length > lookBackMs / everyMs) state.looks.shift()
        const mean = state.looks.reduce((sum, each) => sum + each, 0) / state.looks.length
        const wanted = Math.min(maxReplicas, Math.max(1, Math.ceil(mean / targetOngoing)))
        state.upSinceMs = wanted > interval.replicas ? (state.upSinceMs ?? nowMs) : undefined
        state.downSinceMs = wanted < interval.replicas ? (state.downSinceMs ?? nowMs) : undefined
        const isUp = nowMs - (state.upSinceMs ?? nowMs) >= upAfterMs
        const isDown = nowMs - (state.downSinceMs ?? nowMs) >= downAfterMs
        if (!isUp && !isDown) continue
        void engine.scale(stage, wanted)
        states.set(stage, { looks: state.looks, upSinceMs: undefined, downSinceMs: undefined })
      }
    })
  }
}

/** Rows that wait now, and those that ran on average: busy replicas times the rows of a batch. */
function ongoingRows(
  { waitingRows, rows, batches, busyMs }: StageInterval,
  everyMs: number,
): number {
  const rowsInBatch = batches === 0 ? 0 : rows / batches
  return waitingRows + (busyMs / everyMs) * rowsInBatch
}
