/**
 * How long the event loop of this thread keeps its callbacks waiting, measured in two ways.
 *
 * `watchEventLoopDelay` is the one to report: Node's own `monitorEventLoopDelay`, which anyone can run
 * beside their application, sampled natively so that it takes nothing from the loop it measures. Node
 * records the whole gap between two firings of its timer, so an idle loop reads 1.1 ms at a resolution
 * of 1 ms; the resolution is subtracted here. It gives one sample a turn of the timer, so one stall of
 * 50 ms is one sample, and disappears from the p99 of a run that is otherwise quiet.
 *
 * `probeEventLoopDelay` is the check on it: the lateness against a fixed 1 ms grid, where a stall of
 * 50 ms counts for the 50 callbacks that would have waited 50, 49, 48, ... ms. That is what work
 * arriving at a random moment waits, so rare stalls show; but a timer's granularity leaves an idle
 * loop at 0.6 ms (p50) and 1.2 ms (p99), and it runs JavaScript a thousand times a second.
 *
 * Seen on an idle loop, on one stall of 50 ms in 2 s, and on stalls of 77 ms back to back (p50/p99):
 * watch 0.1/0.2, 0.1/0.3 and 76/77; probe 0.6/1.2, 0.6/30 and 39/76.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { newLatencyHistogram, recordLatencyMs } from './latency-histogram.ts'

export type EventLoopDelay = { p50Ms: number; p99Ms: number; maxMs: number }

export type EventLoopDelayWatch = {
  /** Ends the measurement, after one more turn of the timers so that a stall just ended counts. */
  stop(): Promise<EventLoopDelay>
}

const resolutionMs = 1

export function watchEventLoopDelay(): EventLoopDelayWatch {
  const monitor = monitorEventLoopDelay({ resolution: resolutionMs })
  monitor.enable()
  return {
    async stop() {
      await sleep(2 * resolutionMs)
      monitor.disable()
      return {
        p50Ms: delayMs(monitor.percentile(50)),
        p99Ms: delayMs(monitor.percentile(99)),
        maxMs: delayMs(monitor.max),
      }
    },
  }
}

export function probeEventLoopDelay(): EventLoopDelayWatch {
  const delayUs = newLatencyHistogram()
  let dueMs = performance.now() + resolutionMs
  const recordDue = () => {
    const nowMs = performance.now()
    for (; dueMs <= nowMs; dueMs += resolutionMs) recordLatencyMs(delayUs, nowMs - dueMs)
  }
  const timer = setInterval(recordDue, resolutionMs).unref()
  return {
    async stop() {
      await sleep(2 * resolutionMs)
      recordDue()
      clearInterval(timer)
      // A percentile is the top of its bucket, which can lie above the largest value recorded.
      const percentileMs = (percentile: number) =>
        Math.min(delayUs.getValueAtPercentile(percentile), delayUs.maxValue) / 1000
      return { p50Ms: percentileMs(50), p99Ms: percentileMs(99), maxMs: delayUs.maxValue / 1000 }
    },
  }
}

function delayMs(gapNs: number): number {
  return Math.max(0, gapNs / 1e6 - resolutionMs)
}
