import { largestWithin } from './service-times.ts'

/**
 * For one stage: how long batches must take at least, on average over rows, when rows may take no more than so much of a
 * replica each. Larger batches take less of it, and longer. The lower convex hull of (time of a replica for each row, time
 * of the batch) over batch sizes: no mix of batches lies below it.
 */
export interface BatchCurve {
  /** Ascending; the first is the least a row can take. */
  readonly rowMs: readonly number[]
  /** Descending. */
  readonly batchMs: readonly number[]
}

interface Point {
  readonly rowMs: number
  readonly batchMs: number
}

/** Undefined where not even batches of one row fit into the window. */
export function batchCurve(serviceMs: Float64Array, windowMs: number): BatchCurve | undefined {
  const largest = largestWithin(serviceMs, windowMs)
  if (largest === 0) return undefined
  const points = Array.from({ length: largest }, (_, index) => {
    const batchMs = serviceMs[index + 1] as number
    return { rowMs: batchMs / (index + 1), batchMs }
  })
  const hull: Point[] = []
  for (const point of points.sort((a, b) => a.rowMs - b.rowMs || a.batchMs - b.batchMs)) {
    const last = hull.at(-1)
    if (last !== undefined && point.batchMs >= last.batchMs) continue
    while (hull.length > 1 && above(hull.at(-2) as Point, hull.at(-1) as Point, point)) hull.pop()
    hull.push(point)
  }
  return { rowMs: hull.map((p) => p.rowMs), batchMs: hull.map((p) => p.batchMs) }
}

/** The least mean time of batches when rows take `rowMs` of a replica each, on average; infinite where that is too little. */
export function leastBatchMs({ rowMs, batchMs }: BatchCurve, availableMs: number): number {
  if (availableMs < (rowMs[0] as number)) return Number.POSITIVE_INFINITY
  for (let right = 1; right < rowMs.length; right++) {
    const [fromMs, toMs] = [rowMs[right - 1] as number, rowMs[right] as number]
    if (availableMs > toMs) continue
    const share = (availableMs - fromMs) / (toMs - fromMs)
    const [slowMs, fastMs] = [batchMs[right - 1] as number, batchMs[right] as number]
    return slowMs + (fastMs - slowMs) * share
  }
  return batchMs.at(-1) as number
}

function above(left: Point, middle: Point, right: Point): boolean {
  const slope = (right.batchMs - left.batchMs) / (right.rowMs - left.rowMs)
  return middle.batchMs >= left.batchMs + slope * (middle.rowMs - left.rowMs)
}
