/**
 * A closed-loop load generator: keeps `inFlight` requests outstanding and starts the next as soon as
 * one comes back. It measures the most a system can do; for latency use the open loop, since here a
 * slow system is asked for less.
 *
 * Promises: one await a request and no closure, so the generator itself sustains millions a second.
 *
 * Danger: where `send` settles without a turn of the event loop (a resolved promise), no timer of the
 * process fires until the run ends; the end is therefore found by reading the clock, not by a timer.
 */
import { outcomeCode } from './outcome-code.ts'

export type ClosedLoopOptions = {
  /** Requests kept outstanding; an integer of at least 1. */
  inFlight: number
  /** Starts request `index`. */
  send: (index: number) => Promise<unknown>
} & ({ durationMs: number; requests?: never } | { requests: number; durationMs?: never })

export type ClosedLoopReport = {
  /** Fulfilled. */
  completed: number
  /** Rejected, by error code. */
  failed: Record<string, number>
  /** Completed a second, over the time from the first start to the last answer. */
  throughputPerS: number
  durationMs: number
}

export async function closedLoop(options: ClosedLoopOptions): Promise<ClosedLoopReport> {
  const { inFlight } = options
  if (!(Number.isInteger(inFlight) && inFlight >= 1)) {
    throw new RangeError(`inFlight must be an integer of at least 1, not ${inFlight}`)
  }
  const failed: Record<string, number> = {}
  const startMs = performance.now()
  const state = {
    next: 0,
    completed: 0,
    requests: options.requests ?? Number.POSITIVE_INFINITY,
    endMs: startMs + (options.durationMs ?? Number.POSITIVE_INFINITY),
  }
  const lanes = Array.from({ length: inFlight }, () => keepSending(options.send, { state, failed }))
  await Promise.all(lanes)
  const durationMs = performance.now() - startMs
  const throughputPerS = (state.completed * 1000) / durationMs
  return { completed: state.completed, failed, throughputPerS, durationMs }
}

async function keepSending(
  send: (index: number) => Promise<unknown>,
  {
    state,
    failed,
  }: {
    state: { next: number; completed: number; requests: number; endMs: number }
    failed: Record<string, number>
  },
): Promise<void> {
  const { requests, endMs } = state
  while (state.next < requests && performance.now() < endMs) {
    try {
      await send(state.next++)
      state.completed++
    } catch (error) {
      const code = outcomeCode(error)
      failed[code] = (failed[code] ?? 0) + 1
    }
  }
}
