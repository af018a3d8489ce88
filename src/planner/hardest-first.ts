/**
 * The same arrivals in another order: cut into stretches, the busiest first, each begun with empty queues long after the
 * one before. A configuration that misses the objective is found out early, and no request is later than in its place
 * in the trace, where a backlog may have met it.
 */
export function hardestFirst(
  arrivalsMs: Float64Array,
  { stretchMs, rowMs }: { readonly stretchMs: number; readonly rowMs: number },
): Float64Array {
  const stretches = cut(arrivalsMs, stretchMs)
  const waits = stretches.map((stretch) => backlogMs(stretch, rowMs))
  const order = stretches.map((_, index) => index)
  order.sort((a, b) => (waits[b] as number) - (waits[a] as number) || a - b)
  const result = new Float64Array(arrivalsMs.length)
  let at = 0
  for (const [place, index] of order.entries()) {
    const stretch = stretches[index] as Float64Array
    const shiftMs = place * gapMs - (stretch[0] as number)
    for (const arrivalMs of stretch) result[at++] = arrivalMs + shiftMs
  }
  return result
}

// Longer than any backlog of one stretch takes, however overloaded.
const gapMs = 1e8

function cut(arrivalsMs: Float64Array, stretchMs: number): readonly Float64Array[] {
  const stretches: Float64Array[] = []
  let first = 0
  for (let next = 1; next <= arrivalsMs.length; next++) {
    const within =
      next < arrivalsMs.length &&
      (arrivalsMs[next] as number) - (arrivalsMs[first] as number) < stretchMs
    if (within) continue
    stretches.push(arrivalsMs.subarray(first, next))
    first = next
  }
  return stretches
}

// What rows wait in all at a server that ends one each `rowMs`.
function backlogMs(arrivalsMs: Float64Array, rowMs: number): number {
  let [endMs, waitedMs] = [0, 0]
  for (const arrivalMs of arrivalsMs) {
    const beginMs = endMs > arrivalMs ? endMs : arrivalMs
    waitedMs += beginMs - arrivalMs
    endMs = beginMs + rowMs
  }
  return waitedMs
}
