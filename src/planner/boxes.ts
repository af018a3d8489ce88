import { type BoundedOption, leastPathMs } from './bounds.ts'
import { type Candidate, costPerHour, overstepped, priceGrain } from './choice.ts'
import { clearlyLate, type Search } from './search.ts'

interface Box {
  readonly options: readonly BoundedOption[]
  readonly low: readonly number[]
  readonly high: readonly number[]
  readonly cost: number
}

export const counters = { vectors: 0, mix: 0, boxes: 0, corners: 0, feasibleCorners: 0, splits: 0, leaves: 0 }

export async function searchBoxes(
  search: Search,
  { left, best }: { left: readonly (readonly BoundedOption[])[]; best: Candidate | undefined },
): Promise<Candidate | undefined> {
  const { judge, space } = search
  let ceiling = best === undefined ? Infinity : costPerHour(best)
  const queue: Box[] = []
  for (const options of vectors(left, ceiling)) {
    counters.vectors++
    const box = tighten(search, { options, low: options.map((o) => o.least), high: options.map(() => space.limits.maxReplicas) }, ceiling)
    if (box !== undefined) queue.push(box)
  }
  counters.boxes = queue.length
  queue.sort((a, b) => a.cost - b.cost)
  const feasible: Candidate[] = []
  const clear = clearlyLate(judge)
  while (queue.length > 0) {
    const batch: Box[] = []
    while (batch.length < 8 && queue.length > 0) {
      const next = queue.shift() as Box
      const box = tighten(search, next, ceiling)
      if (box === undefined) continue
      const corner = toCandidate(box, box.high)
      if (!isLeaf(box) && feasible.some((f) => dominated(f, corner))) {
        counters.splits++
        insert(queue, split(search, box, ceiling))
        continue
      }
      batch.push(box)
    }
    const corners = batch.map((box) => toCandidate(box, box.high))
    counters.corners += corners.length
    const counts = await judge.late(corners, { enough: clear })
    for (const [index, box] of batch.entries()) {
      const count = counts[index] as number
      const corner = corners[index] as Candidate
      if (count > clear) continue
      if (count <= judge.allowed) {
        feasible.push(corner)
        counters.feasibleCorners++
        const cost = costPerHour(corner)
        if (cost < ceiling - priceGrain && overstepped(corner, space).length === 0) {
          ceiling = cost
          best = corner
        }
      }
      if (isLeaf(box)) counters.leaves++
      else insert(queue, split(search, box, ceiling))
    }
  }
  return best
}

function* vectors(left: readonly (readonly BoundedOption[])[], ceiling: number, from: BoundedOption[] = [], cost = 0): Generator<BoundedOption[]> {
  if (from.length === left.length) {
    yield from
    return
  }
  const rest = left.slice(from.length + 1).reduce((s, o) => s + Math.min(...o.map((e) => e.least * e.option.pricePerHour)), 0)
  for (const option of left[from.length] as readonly BoundedOption[]) {
    const c = cost + option.least * option.option.pricePerHour
    if (c + rest >= ceiling - priceGrain) continue
    yield* vectors(left, ceiling, [...from, option], c)
  }
}

function tighten(search: Search, { options, low, high }: Omit<Box, 'cost'>, ceiling: number): Box | undefined {
  const cost = costOf(options, low)
  if (cost >= ceiling - priceGrain) return undefined
  const slack = ceiling - priceGrain - cost
  const top = high.map((h, i) => Math.min(h, (low[i] as number) + Math.floor(slack / (options[i] as BoundedOption).option.pricePerHour + 1e-9)))
  const path = leastPathMs(search.bounded, { space: search.space, chosen: options.map((bounded, i) => ({ bounded, replicas: top[i] as number })) })
  if (path > search.bounded.latencyMs + 1e-5) {
    counters.mix++
    return undefined
  }
  return { options, low, high: top, cost }
}

function costOf(options: readonly BoundedOption[], low: readonly number[]): number {
  return options.reduce((s, o, i) => s + o.option.pricePerHour * (low[i] as number), 0)
}

function split(search: Search, box: Box, ceiling: number): Box[] {
  let widest = 0
  let width = -1
  for (const [i, o] of box.options.entries()) {
    const w = ((box.high[i] as number) - (box.low[i] as number)) * o.option.pricePerHour
    if (w > width) [widest, width] = [i, w]
  }
  const middle = Math.floor(((box.low[widest] as number) + (box.high[widest] as number)) / 2)
  return [
    tighten(search, { ...box, high: box.high.with(widest, middle) }, ceiling),
    tighten(search, { ...box, low: box.low.with(widest, middle + 1) }, ceiling),
  ].filter((b) => b !== undefined)
}

function insert(queue: Box[], boxes: Box[]): void {
  for (const box of boxes) {
    let at = queue.findIndex((each) => each.cost > box.cost)
    if (at < 0) at = queue.length
    queue.splice(at, 0, box)
  }
}

function isLeaf(box: Box): boolean {
  return box.low.every((l, i) => l === box.high[i])
}

function toCandidate(box: Box, replicas: readonly number[]): Candidate {
  return box.options.map(({ option }, i) => ({ option, replicas: replicas[i] as number }))
}

function dominated(small: Candidate, large: Candidate): boolean {
  return small.every((c, i) => c.option === large[i]?.option && c.replicas <= (large[i]?.replicas ?? 0))
}
