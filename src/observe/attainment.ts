import { type Clock, nowMs } from '../clock.ts'
import type { RequestStats } from '../engine/stats.ts'
import type { Objective } from '../pipeline/objective.ts'

/** How a promise was kept over a window that ends now. */
export interface WindowAttainment {
  /** The length that was asked for, in milliseconds. */
  readonly windowMs: number
  /**
   * What the figures really cover, in milliseconds: less than `windowMs` while there is no reading that old yet, more
   * where readings are further apart.
   */
  readonly coveredMs: number
  /** Requests that count: all that ended but those their clients cancelled. */
  readonly requests: number
  /** How many of them were answered within the objective's latency. */
  readonly withinObjective: number
  /** `withinObjective / requests`; undefined where none counts. */
  readonly attainment: number | undefined
  /**
   * How many times as fast as allowed the objective's share of misses is used up: 1 for exactly the share that the
   * percentile leaves, 0 for no miss. Undefined where `attainment` is.
   */
  readonly burnRate: number | undefined
}

/** How a promise is being kept. */
export interface AttainmentReading {
  /** Over the last 60,000 ms: what is wrong right now. */
  readonly lastMinute: WindowAttainment
  /** Over the last 1,800,000 ms: whether it lasts. */
  readonly last30Minutes: WindowAttainment
}

/** What is promised, and by which clock. */
export interface AttainmentOptions {
  /** What was promised, of which the percentile is read: that of the pipeline whose engine is read. */
  readonly objective: Pick<Objective, 'percentile'>
  /** What the windows are measured with. Default: the monotonic clock of the process. */
  readonly clock?: Clock | undefined
}

/** The counters of requests that attainment is made from. */
export type CountedRequests = Omit<RequestStats, 'cancelled'>

const minuteMs = 60_000

/**
 * The attainment of an engine's objective over sliding windows, exactly counted. It is driven by readings of
 * `engine.stats().requests`, as often as one likes: it has no timer, and its memory does not grow. Requests that failed,
 * expired, were refused, shed, or still pending when the engine was closed are misses; cancelled ones do not count.
 */
export class Attainment {
  readonly #allowed: number
  readonly #clock: Clock
  readonly #lastMinute = new SlidingCounts(minuteMs)
  readonly #last30Minutes = new SlidingCounts(30 * minuteMs)

  /**
   * Begins without a reading; never throws.
   *
   * @param options Whose attainment it is.
   */
  constructor({ objective, clock = nowMs }: AttainmentOptions) {
    this.#allowed = (100 - objective.percentile) / 100
    this.#clock = clock
  }

  /**
   * Takes a reading and says what it amounts to. The first begins both windows: nothing before it counts.
   *
   * @param requests What `engine.stats().requests` is now.
   */
  read(requests: CountedRequests): AttainmentReading {
    const now = { ...countsOf(requests), atMs: this.#clock() }
    return {
      lastMinute: this.#amount(this.#lastMinute, now),
      last30Minutes: this.#amount(this.#last30Minutes, now),
    }
  }

  #amount(window: SlidingCounts, now: Counts): WindowAttainment {
    const from = window.add(now)
    const requests = now.requests - from.requests
    const withinObjective = now.withinObjective - from.withinObjective
    const missed = requests - withinObjective
    return {
      windowMs: window.windowMs,
      coveredMs: now.atMs - from.atMs,
      requests,
      withinObjective,
      attainment: requests > 0 ? withinObjective / requests : undefined,
      burnRate: requests > 0 ? missed / requests / this.#allowed : undefined,
    }
  }
}

/** Requests that count, and how many of them met the objective, since the engine started. */
export function countsOf(stats: CountedRequests): {
  readonly requests: number
  readonly withinObjective: number
} {
  const { completed, failed, deadlineExceeded, queueFull, shed, closed, withinObjective } = stats
  const requests = completed + failed + deadlineExceeded + queueFull + shed + closed
  return { requests, withinObjective }
}

interface Counts {
  readonly atMs: number
  readonly requests: number
  readonly withinObjective: number
}

const mostKept = 60

/** Earlier counts, kept at a distance so that they stay few, back to the last one as old as the window. */
class SlidingCounts {
  readonly windowMs: number
  readonly #kept: Counts[] = []

  constructor(windowMs: number) {
    this.windowMs = windowMs
  }

  /** The counts at the beginning of the window that ends with these. */
  add(now: Counts): Counts {
    const from = now.atMs - this.windowMs
    const first = this.#kept.findLastIndex(({ atMs }) => atMs <= from)
    if (first > 0) this.#kept.splice(0, first)
    const last = this.#kept.at(-1)
    if (last === undefined || now.atMs - last.atMs >= this.windowMs / mostKept) this.#kept.push(now)
    return this.#kept[0] ?? now
  }
}
