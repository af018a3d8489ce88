import { MillraceError } from '../errors.ts'
import type { MeasuringEngine } from './measuring-engine.ts'
import { median } from './points.ts'
import type { Profile } from './profile.ts'

/** Requests sent at once. */
export interface Burst {
  readonly requests: number
  /** Rows that the engine must admit for them; undefined where its own limit will do. */
  readonly rows: number | undefined
}

/** Requests sent at once, and when all were answered. */
export interface MeasuredBurst {
  readonly requests: number
  readonly burstMs: number
}

const leastRequests = 4
const mostRequests = 128
/** A burst of so many lone latencies one after the other, of which stages that work side by side make less. */
const aimMs = 300
/** Of all its requests: more would only walk through more memory. */
const mostBurstRows = 32_768
/** What an engine admits where rows are small, which they are where a request has many. */
const usualRoom = 4096
const mostRoom = 1 << 20
const mostRounds = 9
const fewestRounds = 3

/** How many requests keep every stage busy for long enough to say how long each takes then. Pure. */
export function burstSize({ stages }: Profile, loneMs: number): Burst {
  const rowsPerRequest = Math.max(1, ...Object.values(stages).map((stage) => stage.scaleFactor))
  const most = Math.min(mostRequests, mostBurstRows / rowsPerRequest)
  const requests = Math.max(leastRequests, Math.floor(Math.min(most, aimMs / loneMs)))
  // Twice as many, since requests may be of different sizes.
  const rows = Math.ceil(2 * requests * rowsPerRequest)
  return { requests, rows: rows > usualRoom ? Math.min(mostRoom, rows) : undefined }
}

interface BurstTerms {
  readonly requests: readonly object[]
  readonly requestsAtOnce: number
  readonly maxPointMs: number
}

/**
 * Milliseconds from when requests are sent, all at once, until all are answered: the median of some rounds. Of half as many
 * where the engine has no room for them; undefined where it has none for the fewest.
 */
export async function measureBurst(
  engine: MeasuringEngine,
  terms: BurstTerms,
): Promise<MeasuredBurst | undefined> {
  let requests = terms.requestsAtOnce
  for (; requests >= leastRequests; requests = Math.floor(requests / 2)) {
    const burstMs = await medianMs(engine, { ...terms, requestsAtOnce: requests })
    if (burstMs !== undefined) return { requests, burstMs }
  }
  return undefined
}

async function medianMs(
  engine: MeasuringEngine,
  { requests, requestsAtOnce, maxPointMs }: BurstTerms,
): Promise<number | undefined> {
  const takenMs: number[] = []
  const beganMs = performance.now()
  for (let round = 0; round < mostRounds; round++) {
    if (round >= fewestRounds && performance.now() - beganMs > maxPointMs) break
    const sentMs = performance.now()
    const answers = Array.from({ length: requestsAtOnce }, (_, at) => {
      const request = requests[(round * requestsAtOnce + at) % requests.length]
      return engine.infer(request as Parameters<MeasuringEngine['infer']>[0])
    })
    const outcomes = await Promise.allSettled(answers)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) {
      const { reason } = failed
      if (MillraceError.is(reason) && reason.code === 'MILLRACE_QUEUE_FULL') return undefined
      throw reason
    }
    takenMs.push(performance.now() - sentMs)
  }
  return median(takenMs)
}
