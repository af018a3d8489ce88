import { Trace } from '../workload/trace.ts'

/** A trace in another order. */
export interface Reordered {
  readonly trace: Trace
  /** The place of each request in the trace that it comes from. */
  readonly numbers: Uint32Array
}

const mostParts = 30
/** Shorter parts would be mostly beginnings, where nothing is late yet. */
const leastArrivals = 1000
/** What the fluid that parts are compared by can drain, as a multiple of the mean rate: about what a cheap plan can. */
const drainShare = 1.1

/**
 * The parts of a trace, those with the worst bursts first, and a pause as long as the trace between two of them: what misses
 * an objective is found out sooner so. Each part begins with empty queues, so that no more of its requests are late than
 * would be in their place. Undefined for a short trace. Pure.
 */
export function hardFirst({ arrivalsMs }: Trace): Reordered | undefined {
  const count = Math.min(mostParts, Math.floor(arrivalsMs.length / leastArrivals))
  const firstMs = arrivalsMs[0] ?? 0
  const spanMs = (arrivalsMs.at(-1) ?? 0) - firstMs
  if (count < 2 || spanMs === 0) return undefined
  const lengthMs = spanMs / count
  const drainPerMs = (drainShare * arrivalsMs.length) / spanMs
  const parts = partsOf(arrivalsMs, { firstMs, lengthMs, count })
    .map((part) => ({ ...part, backlog: meanBacklog(arrivalsMs, { ...part, drainPerMs }) }))
    .sort((a, b) => b.backlog - a.backlog || a.from - b.from)
  return inOrder(arrivalsMs, { parts, lengthMs: lengthMs + spanMs })
}

/** Requests from one to before another, and when they begin. */
interface Part {
  readonly from: number
  readonly to: number
  readonly startMs: number
}

function partsOf(
  arrivalsMs: Float64Array,
  { firstMs, lengthMs, count }: { firstMs: number; lengthMs: number; count: number },
): readonly Part[] {
  const parts: Part[] = []
  let to = 0
  for (let at = 0; at < count; at++) {
    const from = to
    const endMs = firstMs + (at + 1) * lengthMs
    while (to < arrivalsMs.length && ((arrivalsMs[to] ?? 0) < endMs || at === count - 1)) to++
    parts.push({ from, to, startMs: firstMs + at * lengthMs })
  }
  return parts
}

// Of a queue that requests fill and that drains at a steady rate: summed over what each of them finds.
function meanBacklog(
  arrivalsMs: Float64Array,
  { from, to, drainPerMs }: Part & { readonly drainPerMs: number },
): number {
  let backlog = 0
  let sum = 0
  let lastMs = arrivalsMs[from] ?? 0
  for (let at = from; at < to; at++) {
    const nowMs = arrivalsMs[at] ?? 0
    backlog = Math.max(0, backlog - (nowMs - lastMs) * drainPerMs) + 1
    lastMs = nowMs
    sum += backlog
  }
  return sum
}

function inOrder(
  arrivalsMs: Float64Array,
  { parts, lengthMs }: { readonly parts: readonly Part[]; readonly lengthMs: number },
): Reordered {
  const moved = new Float64Array(arrivalsMs.length)
  const numbers = new Uint32Array(arrivalsMs.length)
  let next = 0
  for (const [place, { from, to, startMs }] of parts.entries()) {
    for (let at = from; at < to; at++) {
      moved[next] = place * lengthMs + Math.max(0, (arrivalsMs[at] ?? 0) - startMs)
      numbers[next++] = at
    }
  }
  return { trace: new Trace({ arrivalsMs: moved }), numbers }
}
