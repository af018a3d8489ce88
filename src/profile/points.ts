// What runs of a batch size come to.
import type { ProfilePoint } from './profile.ts'

/** Service times of one batch size, in blocks of consecutive runs; blocks lie apart in time. */
export interface MeasuredBatch {
  readonly batch: number
  readonly blocks: readonly (readonly number[])[]
}

/** A larger batch pays when it brings so much more throughput. */
const worthwhile = 1.03
/** A block whose mean is so many times that of the median block was disturbed by something else. */
const disturbed = 1.2
const shares = 20

/** Whether the larger batch has more than 3 % more throughput, by the medians of the runs. */
export function paysOff(smaller: MeasuredBatch, larger: MeasuredBatch): boolean {
  return rateOf(larger) > worthwhile * rateOf(smaller)
}

function rateOf({ batch, blocks }: MeasuredBatch): number {
  return batch / Math.min(...blocks.map(median))
}

/**
 * Points with ascending batch sizes: the larger takes no less time, and each of its rows takes less. What disturbs a
 * measurement makes it longer only, so where a larger batch was quicker the smaller one is as quick, too. Sizes without
 * more throughput than the one before are left out.
 */
export function toPoints(measured: readonly MeasuredBatch[]): readonly ProfilePoint[] {
  const points = measured.map(toPoint)
  for (let at = points.length - 2; at >= 0; at--) {
    points[at] = noSlower(points[at] as Point, points[at + 1] as Point)
  }
  const kept: Point[] = []
  for (const point of points) {
    const last = kept.at(-1)
    if (last === undefined || point.batch / point.meanMs > last.batch / last.meanMs) {
      kept.push(point)
    }
  }
  return kept
}

type Point = ProfilePoint & { readonly p50Ms: number; readonly quantilesMs: readonly number[] }

function toPoint({ batch, blocks }: MeasuredBatch): Point {
  const runs = undisturbed(blocks)
    .flat()
    .sort((a, b) => a - b)
  const quantilesMs = Array.from({ length: shares + 1 }, (_, at) => quantile(runs, at / shares))
  return {
    batch,
    meanMs: round(mean(runs)),
    p50Ms: round(quantile(runs, 0.5)),
    p99Ms: round(quantile(runs, 0.99)),
    quantilesMs: quantilesMs.map(round),
    runs: runs.length,
  }
}

function noSlower(point: Point, larger: Point): Point {
  return {
    ...point,
    meanMs: Math.min(point.meanMs, larger.meanMs),
    p50Ms: Math.min(point.p50Ms, larger.p50Ms),
    p99Ms: Math.min(point.p99Ms, larger.p99Ms),
    quantilesMs: point.quantilesMs.map((ms, at) => Math.min(ms, larger.quantilesMs[at] ?? ms)),
  }
}

/** The blocks but those far above the median one; never less than half of them. */
export function undisturbed(
  blocks: readonly (readonly number[])[],
): readonly (readonly number[])[] {
  const limit = disturbed * median(blocks.map(mean))
  return blocks.filter((block) => mean(block) <= limit)
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The lower one of the two in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? Number.NaN
}

/** Linear between the values, which ascend. */
function quantile(ascending: readonly number[], share: number): number {
  const place = share * (ascending.length - 1)
  const left = ascending[Math.floor(place)] as number
  const right = ascending[Math.ceil(place)] as number
  return left + (right - left) * (place - Math.floor(place))
}

/** To six digits: more of them say nothing. */
export function round(value: number): number {
  return Number(value.toPrecision(6))
}
