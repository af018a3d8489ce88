import { type BoundedOption, leastPathMs, roundingMs } from './bounds.ts'
import { type Candidate, coresOf, costPerHour, memoryMb, overstepped, priceGrain } from './choice.ts'
import { type Layout, leastPrice } from './layout.ts'
import type { Incumbent, Search } from './search.ts'

/** Configurations with these options and replicas between these bounds. */
interface Box {
  readonly options: readonly BoundedOption[]
  readonly low: readonly number[]
  readonly high: readonly number[]
  /** Of the cheapest of them. */
  readonly costPerHour: number
}

export const counters = { vectors: 0, boxes: 0, corners: 0, feasibleCorners: 0, splits: 0, leaves: 0, passed: 0, mix: 0 }

export async function searchBoxes(search: Search, { layout, incumbent }: { layout: Layout; incumbent: Incumbent }): Promise<void> {
  const { judge, space } = search
  const tighten = (box: Omit<Box, 'costPerHour'>) => tightened(search, { box, layout, ceiling: incumbent.costPerHour })
  const queue: Box[] = []
  for (const options of combinations(layout, incumbent.costPerHour)) {
    counters.vectors++
    const box = tighten({ options, low: options.map((o) => o.least), high: options.map(() => space.limits.maxReplicas) })
    if (box !== undefined) queue.push(box)
  }
  counters.boxes += queue.length
  queue.sort((a, b) => a.costPerHour - b.costPerHour)
  const feasible: Candidate[] = []
  const clear = judge.clearlyLate
  while (queue.length > 0) {
    const batch: Box[] = []
    while (batch.length < 8 && queue.length > 0) {
      const next = queue.shift() as Box
      const box = tighten(next)
      if (box === undefined) continue
      const corner = toCandidate(box, box.high)
      if (!isLeaf(box) && feasible.some((f) => dominated(f, corner))) {
        counters.splits++
        insert(queue, split(box).map(tighten))
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
        if (overstepped(corner, space).length === 0) incumbent.offer(corner)
      }
      if (isLeaf(box)) counters.leaves++
      else insert(queue, split(box).map(tighten))
    }
  }
}

function* combinations({ options }: Layout, ceiling: number): Generator<BoundedOption[]> {
  const rest = options.map((_, i) => options.slice(i + 1).reduce((s, o) => s + leastPrice(o), 0))
  function* walk(from: BoundedOption[], cost: number): Generator<BoundedOption[]> {
    if (from.length === options.length) {
      yield from
      return
    }
    for (const option of options[from.length] as readonly BoundedOption[]) {
      const c = cost + option.least * option.option.pricePerHour
      if (c + (rest[from.length] as number) >= ceiling - priceGrain) continue
      yield* walk([...from, option], c)
    }
  }
  yield* walk([], 0)
}

function tightened(search: Search, { box, layout, ceiling }: { box: Omit<Box, 'costPerHour'>; layout: Layout; ceiling: number }): Box | undefined {
  const { options, low, high } = box
  const cheapest = options.map(({ option }, i) => ({ option, replicas: low[i] as number }))
  const cost = costPerHour(cheapest)
  if (cost >= ceiling - priceGrain) return undefined
  const { limits } = search.space
  const slack = Math.min(ceiling - priceGrain, limits.budgetPerHour + priceGrain) - cost
  const coreSlack = limits.cores - coresOf(cheapest)
  const mbSlack = limits.memoryMb - memoryMb(cheapest)
  if (slack < 0 || coreSlack < 0 || mbSlack < 0) return undefined
  const room = (slack: number, each: number) => each > 0 ? Math.floor(slack / each + 1e-9) : Infinity
  const top = high.map((h, i) => {
    const { option } = options[i] as BoundedOption
    return Math.min(h, (low[i] as number) + Math.min(room(slack, option.pricePerHour), room(coreSlack, option.cores), room(mbSlack, option.replicaMb)))
  })
  const path = leastPathMs({ graph: search.space.graph, traffic: search.traffic, windows: layout.windows, options, replicas: top })
  if (path > search.traffic.latencyMs + roundingMs) {
    counters.mix++
    return undefined
  }
  return { options, low, high: top, costPerHour: cost }
}

function split(box: Box): Omit<Box, 'costPerHour'>[] {
  let widest = 0
  let width = -1
  for (const [i, o] of box.options.entries()) {
    const w = ((box.high[i] as number) - (box.low[i] as number)) * (o.option.pricePerHour + 1e-12)
    if (w > width) [widest, width] = [i, w]
  }
  const middle = Math.floor(((box.low[widest] as number) + (box.high[widest] as number)) / 2)
  return [{ ...box, high: box.high.with(widest, middle) }, { ...box, low: box.low.with(widest, middle + 1) }]
}

function insert(queue: Box[], boxes: (Box | undefined)[]): void {
  for (const box of boxes) {
    if (box === undefined) continue
    let at = queue.findIndex((each) => each.costPerHour > box.costPerHour)
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
