import type { MeasuringEngine } from './measuring-engine.ts'
import { median } from './points.ts'
import type { Profile } from './profile.ts'

/** Requests sent at once. */
export interface Burst {
  readonly requests: number
  /** Rows of them that may be pending. */
  readonly rows: number
}

const leastRequests = 4
const mostRequests = 128
/** A burst of so many lone latencies one after the other, of which stages that work side by side make less. */
const aimMs = 300
/** Of all its requests: more would only walk through more memory. */
const mostBurstRows = 32_768
const leastRoom = 4096
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
  return { requests, rows: Math.min(mostRoom, Math.max(leastRoom, rows)) }
}

/** Milliseconds from when requests are sent, all at once, until all are answered: the median of some rounds. */
export async function measureBurst(
  engine: MeasuringEngine,
  {
    requests,
    requestsAtOnce,
    maxPointMs,
  }: {
    readonly requests: readonly object[]
    readonly requestsAtOnce: number
    readonly maxPointMs: number
  },
): Promise<number> {
  const takenMs: number[] = []
  const beganMs = performance.now()
  for (let round = 0; round < mostRounds; round++) {
    if (round >= fewestRounds && performance.now() - beganMs > maxPointMs) break
    const sentMs = performance.now()
    const answers = Array.from({ length: requestsAtOnce }, (_, at) => {
      const request = requests[(round * requestsAtOnce + at) % requests.length]
      return engine.infer(request as Parameters<MeasuringEngine['infer']>[0])
    })
    await Promise.all(answers)
    takenMs.push(performance.now() - sentMs)
  }
  return median(takenMs)
}
