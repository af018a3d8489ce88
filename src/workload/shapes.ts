import { exactExp, exactSinTurns } from './exact-math.ts'
import type { Random } from './random.ts'

/** The shapes that {@link Trace.shaped} knows. */
export const traceShapes = [
  'slowly-varying',
  'quickly-varying',
  'big-spike',
  'dual-phase',
  'large-variations',
  'steep-tri-phase',
  'social-media',
  'ramp',
] as const

/**
 * How the rate of a trace changes. The first six are named by AutoScale (Gandhi et al., TOCS 2012) and used by "InferLine"
 * (SoCC 2020, section 6); `social-media` has pulses of 4 to 5 times the base; `ramp` goes from one rate to another.
 * `src/workload/README.md` has the numbers of each.
 *
 * @useDeclaredType
 */
export type TraceShape = (typeof traceShapes)[number]

/** A point of a shape: two at the same time are a step. */
export interface ShapePoint {
  readonly atMs: number
  /** The rate there, as a part of the highest. */
  readonly level: number
}

export interface ShapeOptions {
  /** All but `ramp`, which is not relative to a peak. */
  readonly shape: Exclude<TraceShape, 'ramp'>
  readonly durationMs: number
  /** Draws what differs from run to run. */
  readonly random: Random
}

interface Run {
  readonly durationMs: number
  readonly random: Random
  /** A minute of the shape: shorter than one where the whole trace is shorter than the shape. */
  readonly minuteMs: number
}

type Levels = (run: Run) => ShapePoint[]

const minutesOfShape = 60
const minutesOfSocialMedia = 120
const pointsOfWave = 100

const levels: Readonly<Record<ShapeOptions['shape'], Levels>> = {
  'slowly-varying': (run) => wave(run, 1),
  'quickly-varying': (run) => wave(run, 10),
  'big-spike': bigSpike,
  'dual-phase': dualPhase,
  'large-variations': largeVariations,
  'steep-tri-phase': steepTriPhase,
  'social-media': socialMedia,
}

/**
 * The points of a shape, ascending. The first six are those of AutoScale (Gandhi et al., TOCS 2012), as InferLine
 * (Crankshaw et al., SoCC 2020) uses them; their numbers are in README.md.
 */
export function shapePoints({ shape, durationMs, random }: ShapeOptions): readonly ShapePoint[] {
  const minutes = shape === 'social-media' ? minutesOfSocialMedia : minutesOfShape
  const minuteMs = Math.min(60_000, durationMs / minutes)
  const points = levels[shape]({ durationMs, random, minuteMs })
  let peak = 0
  for (const { level } of points) peak = Math.max(peak, level)
  return points.map(({ atMs, level }) => ({ atMs, level: level / peak }))
}

function wave({ durationMs }: Run, cycles: number): ShapePoint[] {
  const count = cycles * pointsOfWave
  return Array.from({ length: count + 1 }, (_, index) => ({
    atMs: (index / count) * durationMs,
    level: 1 + 0.4 * exactSinTurns(index / pointsOfWave),
  }))
}

function bigSpike({ durationMs, minuteMs }: Run): ShapePoint[] {
  const riseMs = 0.4 * durationMs
  const heldMs = riseMs + 0.5 * minuteMs
  const fallMs = heldMs + 0.15 * durationMs
  return [
    { atMs: riseMs, level: 1 },
    { atMs: heldMs, level: 4.5 },
    { atMs: fallMs, level: 4.5 },
    { atMs: fallMs + 2.5 * minuteMs, level: 1 },
  ]
}

function dualPhase({ durationMs }: Run): ShapePoint[] {
  const [first, second] = [1, 2.25]
  const steps = 50
  return Array.from({ length: steps + 1 }, (_, index) => {
    const part = index / steps
    const smooth = part * part * (3 - 2 * part)
    return {
      atMs: (0.4375 + 0.125 * part) * durationMs,
      level: first + (second - first) * smooth,
    }
  })
}

// An autoregressive process on the logarithm of the rate, begun as if it had always been running.
function largeVariations({ durationMs, minuteMs, random }: Run): ShapePoint[] {
  const [kept, deviation] = [0.94, 0.3]
  const points: ShapePoint[] = []
  let logarithm = (deviation * random.normal()) / Math.sqrt(1 - kept * kept)
  for (let minute = 0; minute * minuteMs <= durationMs; minute++) {
    points.push({ atMs: minute * minuteMs, level: exactExp(logarithm) })
    logarithm = kept * logarithm + deviation * random.normal()
  }
  return points
}

function steepTriPhase({ durationMs }: Run): ShapePoint[] {
  const [first, second] = [durationMs / 3, (2 * durationMs) / 3]
  return [
    { atMs: first, level: 1 },
    { atMs: first, level: 2.5 },
    { atMs: second, level: 2.5 },
    { atMs: second, level: 1.5 },
  ]
}

interface Pulse {
  readonly startMs: number
  readonly edgeMs: number
  readonly endMs: number
  readonly height: number
}

function socialMedia(run: Run): ShapePoint[] {
  const { durationMs, minuteMs, random } = run
  const count = Math.floor(durationMs / minuteMs) + 1
  const noise = Array.from({ length: count + 1 }, () => exactExp(0.1 * random.normal()))
  const pulses = pulsesOf(run)
  const times = Array.from({ length: count }, (_, minute) => minute * minuteMs)
  for (const { startMs, edgeMs, endMs } of pulses) {
    times.push(startMs, startMs + edgeMs, endMs - edgeMs, endMs)
  }
  times.sort((one, other) => one - other)
  return times.map((atMs) => {
    const minute = Math.floor(atMs / minuteMs)
    const [before, after] = [noise[minute] ?? 1, noise[minute + 1] ?? 1]
    const base = before + (after - before) * (atMs / minuteMs - minute)
    return { atMs, level: pulses.reduce((level, pulse) => level * heightAt(pulse, atMs), base) }
  })
}

// One in each of as many equal parts of the trace as make 6 % of it.
function pulsesOf({ durationMs, minuteMs, random }: Run): readonly Pulse[] {
  const count = Math.max(1, Math.round((0.06 * durationMs) / (6.5 * minuteMs)))
  const partMs = durationMs / count
  return Array.from({ length: count }, (_, index) => {
    const lengthMs = (5 + 3 * random.uniform()) * minuteMs
    const startMs = index * partMs + random.uniform() * (partMs - lengthMs)
    const height = 4 + random.uniform()
    return { startMs, edgeMs: 0.5 * minuteMs, endMs: startMs + lengthMs, height }
  })
}

function heightAt({ startMs, edgeMs, endMs, height }: Pulse, atMs: number): number {
  const edge = Math.min(atMs - startMs, endMs - atMs) / edgeMs
  return 1 + (height - 1) * Math.min(1, Math.max(0, edge))
}
