// What a trace asks of a stage at least, whatever the other stages do.

/** Rows that arrive within some stretch of the trace, all that may be late taken off. */
export interface Demand {
  readonly rows: number
  readonly lengthMs: number
}

export interface DemandOptions {
  readonly arrivalsMs: Float64Array
  /** Requests that may be late. */
  readonly allowed: number
}

// A stretch in which little more arrives than may be late says nothing.
const leastShareOnTime = 4

/** The whole trace, and its busiest half, quarter and so on. */
export function demands({ arrivalsMs, allowed }: DemandOptions): readonly Demand[] {
  const spanMs = (arrivalsMs.at(-1) ?? 0) - (arrivalsMs[0] ?? 0)
  const found: Demand[] = [{ rows: arrivalsMs.length - allowed, lengthMs: spanMs }]
  for (let lengthMs = spanMs / 2; lengthMs > 0; lengthMs /= 2) {
    const arrived = mostWithin(arrivalsMs, lengthMs)
    if (arrived < leastShareOnTime * allowed || arrived < leastShareOnTime) break
    found.push({ rows: arrived - allowed, lengthMs })
  }
  return found
}

/** The most arrivals in any stretch of this length, both ends included. */
export function mostWithin(arrivalsMs: Float64Array, lengthMs: number): number {
  let [first, most] = [0, 0]
  for (let last = 0; last < arrivalsMs.length; last++) {
    while ((arrivalsMs[last] ?? 0) - (arrivalsMs[first] ?? 0) > lengthMs) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}

/**
 * The fewest rows that miss their windows at a server that ends one row each `rowMs`, begins none before it arrives, and
 * may leave out whichever it likes: earliest deadline first, which with equal windows is order of arrival.
 */
export function fewestLate(
  arrivalsMs: Float64Array,
  { rowMs, windowMs, enough }: { rowMs: number; windowMs: number; enough: number },
): number {
  let [endMs, late] = [Number.NEGATIVE_INFINITY, 0]
  for (const arrivalMs of arrivalsMs) {
    const nextMs = (endMs > arrivalMs ? endMs : arrivalMs) + rowMs
    if (nextMs <= arrivalMs + windowMs) endMs = nextMs
    else if (++late > enough) return late
  }
  return late
}
