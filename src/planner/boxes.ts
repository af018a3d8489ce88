import { type BoundedOption, leastPathMs, roundingMs } from './bounds.ts'
import { type Candidate, coresOf, costPerHour, memoryMb, priceGrain } from './choice.ts'
import type { Layout } from './layout.ts'
import type { Search } from './search.ts'

/** Candidates with these options and replicas from `low` to `high`. */
export interface Box {
  readonly options: readonly BoundedOption[]
  readonly low: readonly number[]
  readonly high: readonly number[]
  /** Of the cheapest of them. */
  readonly costPerHour: number
}

interface TightenOptions {
  readonly layout: Layout
  /** All that is as dear as this is cut off. */
  readonly ceiling: number
}

/** Everything that the options leave open. */
export function wholeBox(options: readonly BoundedOption[], maxReplicas: number): Box {
  return boxOf(
    options,
    options.map(({ least }) => least),
    options.map(() => maxReplicas),
  )
}

/** What is left of a box without what is too dear, oversteps limits or cannot meet the objective; undefined for nothing. */
export function tightened(
  search: Search,
  { box, layout, ceiling }: TightenOptions & { readonly box: Box },
): Box | undefined {
  const { space, traffic, ruledOut } = search
  const affordable = cut(box, { room: ceiling - priceGrain - box.costPerHour, each: priceOf })
  ruledOut.add('dearer', sizeOf(box) - sizeOf(affordable))
  const within = withinLimits(search, affordable)
  ruledOut.add('limits', sizeOf(affordable) - sizeOf(within))
  if (within === undefined) return undefined
  const { options, high } = within
  const { windows } = layout
  const question = { graph: space.graph, traffic, windows, options, replicas: high }
  if (leastPathMs(question) <= traffic.latencyMs + roundingMs) return within
  ruledOut.add('batching', sizeOf(within))
  return undefined
}

/** In two, where the most money lies between the bounds. Not for a single candidate. */
export function halves({ options, low, high }: Box): readonly [Box, Box] {
  const widths = options.map(
    (each, stage) => ((high[stage] ?? 0) - (low[stage] ?? 0)) * (priceOf(each) + priceGrain),
  )
  const widest = widths.indexOf(Math.max(...widths))
  const middle = Math.floor(((low[widest] ?? 0) + (high[widest] ?? 0)) / 2)
  return [
    boxOf(options, low, high.with(widest, middle)),
    boxOf(options, low.with(widest, middle + 1), high),
  ]
}

/** The candidate with the most replicas. */
export function cornerOf({ options, high }: Box): Candidate {
  return candidateOf(options, high)
}

export function isSingle({ low, high }: Box): boolean {
  return low.every((replicas, stage) => replicas === high[stage])
}

/** How many candidates; 0 for nothing. */
export function sizeOf(box: Box | undefined): number {
  if (box === undefined) return 0
  return box.low.reduce((size, low, stage) => size * ((box.high[stage] ?? 0) - low + 1), 1)
}

function boxOf(
  options: readonly BoundedOption[],
  low: readonly number[],
  high: readonly number[],
): Box {
  return { options, low, high, costPerHour: costPerHour(candidateOf(options, low)) }
}

function candidateOf(options: readonly BoundedOption[], replicas: readonly number[]): Candidate {
  return options.map(({ option }, stage) => ({ option, replicas: replicas[stage] as number }))
}

function withinLimits({ space }: Search, box: Box | undefined): Box | undefined {
  if (box === undefined) return undefined
  const { cores, memoryMb: memory } = space.limits
  const least = candidateOf(box.options, box.low)
  const inCores = cut(box, { room: cores - coresOf(least), each: ({ option }) => option.cores })
  const room = memory - memoryMb(least)
  return inCores && cut(inCores, { room, each: ({ option }) => option.replicaMb })
}

interface Resource {
  /** What the fewest replicas leave of it. */
  readonly room: number
  /** What one more replica takes. */
  readonly each: (option: BoundedOption) => number
}

function cut(box: Box, { room, each }: Resource): Box | undefined {
  if (room < 0) return undefined
  if (room === Number.POSITIVE_INFINITY) return box
  const high = box.high.map((most, stage) => {
    const takes = each(box.options[stage] as BoundedOption)
    const more = takes > 0 ? Math.floor(room / takes) : Number.POSITIVE_INFINITY
    return Math.min(most, (box.low[stage] ?? 0) + more)
  })
  return { ...box, high }
}

function priceOf({ option }: BoundedOption): number {
  return option.pricePerHour
}
