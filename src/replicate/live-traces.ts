import { Trace } from '../workload/trace.ts'

/** A trace of which the first quarter is planned for, and the rest served. */
export interface LiveTrace {
  readonly shape: 'big-spike' | 'large-variations'
  /** The one it was made with. */
  readonly seed: number
  readonly durationMs: number
  readonly sample: Trace
  readonly live: Trace
}

export interface LiveTraceOptions {
  readonly shape: LiveTrace['shape']
  readonly seed: number
  readonly durationMs: number
}

/** As InferLine rescaled AutoScale's traces. */
const peakRatePerS = 300
const plannedPart = 0.25
const partsOfBusiest = 60
const leastRise = 1.5
const mostTries = 100

/**
 * One of AutoScale's shapes. Large variations are drawn, and some end as they began: the first from the seed on is taken whose
 * busiest sixtieth is at least one and a half times as busy in the part served as in the part planned for.
 */
export function liveTrace({ shape, seed, durationMs }: LiveTraceOptions): LiveTrace {
  for (let tries = 0; ; tries++) {
    const made = make({ shape, seed: seed + tries, durationMs })
    const rise = busiest(made.live, durationMs) / busiest(made.sample, durationMs)
    if (rise >= leastRise || tries === mostTries) return made
  }
}

function make({ shape, seed, durationMs }: LiveTraceOptions): LiveTrace {
  const trace = Trace.shaped({ shape, ratePerS: peakRatePerS, durationMs, cv2: 1, seed })
  const splitMs = plannedPart * durationMs
  const [sample, live] = [trace.slice(0, splitMs), trace.slice(splitMs)]
  return { shape, seed, durationMs, sample, live }
}

/** Arrivals of the busiest sixtieth of the whole trace. */
function busiest({ arrivalsMs }: Trace, wholeMs: number): number {
  const counts = new Map<number, number>()
  for (const atMs of arrivalsMs) {
    const part = Math.floor((atMs * partsOfBusiest) / wholeMs)
    counts.set(part, (counts.get(part) ?? 0) + 1)
  }
  return Math.max(...counts.values())
}
