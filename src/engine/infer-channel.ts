// What every call of `infer` publishes on `diagnostics_channel` while somebody listens, so that tools need no dependency.
import { tracingChannel } from 'node:diagnostics_channel'
import type { InferOptions } from './infer-options.ts'
import type { RequestVisits } from './visits.ts'

/**
 * The message of one call of `infer`, the same object in all events of `tracing:millrace:infer:*` (`start`, `end`,
 * `asyncStart`, `asyncEnd`, `error`), as `diagnostics_channel.tracingChannel` has them.
 */
export interface InferMessage {
  /** Who was called. */
  readonly engine: object
  /** The name of its pipeline. */
  readonly pipeline: string
  /** As they were given, not checked; undefined where there were none. */
  readonly options: InferOptions | undefined
  /** To be set by a subscriber of `start` who wants `visits`; what is recorded for a request costs it some microseconds. */
  recordVisits: boolean
  /** With `asyncEnd`, where it was asked for and the core took the request: what it was through. Else absent. */
  visits?: RequestVisits
  /** What the call fulfils with: with its `asyncEnd`, else absent. */
  result?: unknown
  /** What the call rejects with: with its `error` and `asyncEnd`, else absent. */
  error?: unknown
}

/** Requests are published where `start` has a subscriber when they are sent: whoever wants another event subscribes to both. */
export const inferChannel = tracingChannel<InferMessage>('millrace:infer')

/** What `infer` looks at, once a request. */
export const inferStart = inferChannel.start

/** Publishes what `send` comes to. Rejects, and does not throw, where `send` throws. */
export function publishInfer<Result>(
  message: InferMessage,
  send: () => Promise<Result>,
): Promise<Result> {
  const rejecting = (): Promise<Result> => {
    try {
      return send()
    } catch (error) {
      return Promise.reject(error)
    }
  }
  return inferChannel.tracePromise(rejecting, message)
}
