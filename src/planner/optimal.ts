import { type BoundedOption, bounded, windowsMs } from './bounds.ts'
import { type Candidate, priceGrain } from './choice.ts'
import { grow } from './grow.ts'
import { type Layout, leastCost, leastPrice, volume } from './layout.ts'
import { raiseAlone } from './raise-alone.ts'
import { Incumbent, type Search } from './search.ts'
import { searchLayout } from './search-layout.ts'
import {
  accuracyOf,
  accurateEnough,
  fastest,
  type Placement,
  type SearchSpace,
} from './search-space.ts'

/**
 * The cheapest candidate that meets the objective, if there is one. Under a ceiling of the cost that rises until something
 * is found below it: the closer it is, the fewer replicas boxes hold, and the sooner they turn out to be too late.
 */
export async function optimal(
  search: Search,
  { anyWillDo = false }: { readonly anyWillDo?: boolean } = {},
): Promise<Candidate | undefined> {
  const top = search.space.limits.budgetPerHour + 2 * priceGrain
  const layouts = layoutsByCost(search)
  if (anyWillDo) return await searchBelow(search, { layouts, ceiling: top, anyWillDo })
  for (const ceiling of risingCeilings(search.space, { layouts, top })) {
    search.ruledOut.clear()
    const found = await searchBelow(search, { layouts, ceiling, anyWillDo })
    if (found !== undefined) return found
  }
  return undefined
}

interface BelowOptions {
  readonly layouts: readonly PricedLayout[]
  /** What a candidate has to be cheaper than. */
  readonly ceiling: number
  readonly anyWillDo: boolean
}

// Layouts in the order of what they cost at least, each bounded without simulations, then stage by stage, then searched.
async function searchBelow(
  search: Search,
  { layouts, ceiling, anyWillDo }: BelowOptions,
): Promise<Candidate | undefined> {
  const incumbent = new Incumbent(ceiling)
  for (const [index, priced] of layouts.entries()) {
    const { leastPerHour } = priced
    if (anyWillDo && incumbent.candidate !== undefined) break
    if (leastPerHour >= incumbent.costPerHour - priceGrain) {
      const rest = layouts.slice(index)
      search.ruledOut.add(
        'dearer',
        rest.reduce((sum, each) => sum + size(each, search.space), 0),
      )
      break
    }
    search.report({
      phase: 'search',
      costPerHour: incumbent.candidate && incumbent.costPerHour,
      boundPerHour: leastPerHour,
    })
    await tryLayout(search, { priced, incumbent, anyWillDo })
  }
  return incumbent.candidate
}

const firstStepShare = 0.02
const stepGrowth = 1.1
// Between what multiples of the cheapest replica cost.
const firstShareOfStep = 0.5

// A step is at least the cheapest replica: costs do not lie closer, or not by much.
function* risingCeilings(
  { placements, limits }: SearchSpace,
  { layouts, top }: { readonly layouts: readonly PricedLayout[]; readonly top: number },
): Generator<number> {
  const prices = placements.flat().map(({ pricePerHour }) => pricePerHour)
  const least = layouts[0]?.leastPerHour ?? 0
  const most = prices.reduce((sum, price) => sum + price, 0) * limits.maxReplicas
  let step = Math.max(Math.min(...prices), least * firstStepShare)
  let ceiling = least + step * firstShareOfStep
  for (; step > 0 && ceiling < Math.min(top, most); step *= stepGrowth, ceiling += step)
    yield ceiling
  yield top
}

/** How many configurations there are, replicas of each stage within the limits. */
export function countCandidates(space: SearchSpace): number {
  return layouts(space).reduce((sum, placements) => sum + size({ placements }, space), 0)
}

interface LayoutOptions {
  readonly priced: PricedLayout
  readonly incumbent: Incumbent
  readonly anyWillDo: boolean
}

async function tryLayout(
  search: Search,
  { priced, incumbent, anyWillDo }: LayoutOptions,
): Promise<void> {
  const { space, ruledOut } = search
  const { placements } = priced
  const layout = priced.bounded()
  ruledOut.add('load', size({ placements }, space) - volume(layout, space))
  if (leastCost(layout) >= incumbent.costPerHour - priceGrain) {
    ruledOut.add('dearer', volume(layout, space))
    return
  }
  const raised = await raiseAlone(search, { layout, ceiling: incumbent.costPerHour })
  ruledOut.add('alone', volume(layout, space) - volume(raised, space))
  if (raised.options.some((options) => options.length === 0)) return
  if (anyWillDo) {
    const first = await grow(search, raised)
    if (first !== undefined) incumbent.offer(first)
  }
  await searchLayout(search, { layout: raised, incumbent, anyWillDo })
}

function boundedLayout({ space, traffic }: Search, placements: readonly Placement[]): Layout {
  const { latencyMs } = traffic
  const windows = windowsMs(space.graph, { layout: placements, latencyMs })
  const options = placements.map((placement, stage) =>
    boundedOptions({ space, traffic }, { placement, stage, windowMs: windows[stage] as number }),
  )
  return { placements, windows, options }
}

function boundedOptions(
  context: Pick<Search, 'space' | 'traffic'>,
  { placement, stage, windowMs }: { placement: Placement; stage: number; windowMs: number },
): readonly BoundedOption[] {
  return placement.options.flatMap(
    (option) => bounded(option, { ...context, stage, windowMs }) ?? [],
  )
}

interface PricedLayout {
  readonly placements: readonly Placement[]
  readonly leastPerHour: number
  /** Worked out when first asked for. */
  readonly bounded: () => Layout
}

// What each placement costs at least where all other stages are as fast as can be.
function layoutsByCost(search: Search): readonly PricedLayout[] {
  const { space, traffic } = search
  const ideal = space.placements.map((placements) => fastest(placements) as Placement)
  const windows = windowsMs(space.graph, { layout: ideal, latencyMs: traffic.latencyMs })
  const prices = new Map<Placement, number>()
  for (const [stage, placements] of space.placements.entries()) {
    for (const placement of placements) {
      const question = { placement, stage, windowMs: windows[stage] as number }
      prices.set(placement, leastPrice(boundedOptions({ space, traffic }, question)))
    }
  }
  return layouts(space)
    .map((placements) => ({
      placements,
      leastPerHour: placements.reduce((sum, each) => sum + (prices.get(each) ?? 0), 0),
      bounded: once(() => boundedLayout(search, placements)),
    }))
    .sort((a, b) => (a.leastPerHour === b.leastPerHour ? 0 : a.leastPerHour - b.leastPerHour))
}

function layouts({ placements, limits }: SearchSpace): readonly (readonly Placement[])[] {
  let partial: (readonly Placement[])[] = [[]]
  for (const column of placements) {
    partial = partial.flatMap((begun) => column.map((each) => [...begun, each]))
  }
  return partial.filter((layout) => {
    const accuracy = layout.reduce((product, each) => product * accuracyOf(each), 1)
    return accurateEnough(accuracy, limits.minAccuracy)
  })
}

function size({ placements }: Pick<PricedLayout, 'placements'>, { limits }: SearchSpace): number {
  return placements.reduce(
    (product, { options }) => product * options.length * limits.maxReplicas,
    1,
  )
}

function once<Result>(make: () => Result): () => Result {
  let made: { readonly result: Result } | undefined
  return () => {
    made ??= { result: make() }
    return made.result
  }
}
