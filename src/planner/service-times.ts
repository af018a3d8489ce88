import type { ProfilePoint } from '../profile/profile.ts'
import { serviceTimeMs } from '../profile/service-time.ts'

/** Milliseconds that batches of 0, 1, ... `maxBatch` rows keep their replica. */
export function serviceTimesMs(
  points: readonly ProfilePoint[],
  { maxBatch, hopMs }: { readonly maxBatch: number; readonly hopMs: number },
): Float64Array {
  return Float64Array.from(
    { length: maxBatch + 1 },
    (_, batch) => hopMs + serviceTimeMs(points, batch),
  )
}

/** As many rows as fit into a window of time, at most `maxBatch`; 0 where not even one does. */
export function largestWithin(serviceMs: Float64Array, windowMs: number): number {
  let batch = serviceMs.length - 1
  while (batch > 0 && (serviceMs[batch] ?? 0) > windowMs) batch--
  return batch
}

/** The least milliseconds of a replica that one row takes, in batches of at most so many. */
export function leastRowMs(serviceMs: Float64Array, mostRows: number): number {
  let least = Number.POSITIVE_INFINITY
  for (let batch = 1; batch <= mostRows; batch++) {
    least = Math.min(least, (serviceMs[batch] ?? Number.POSITIVE_INFINITY) / batch)
  }
  return least
}
