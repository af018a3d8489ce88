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
  if (anyWillDo) return await searchForAny(search, { layouts, ceiling: top })
  for (const ceiling of risingCeilings(search.space, { layouts, top })) {
    search.ruledOut.clear()
    const found = await searchBelow(search, { layouts, ceiling })
    if (found !== undefined) return found
  }
  return undefined
}

interface BelowOptions {
  readonly layouts: readonly PricedLayout[]
  /** What a candidate has to be cheaper than. */
  readonly ceiling: number
}

// Layouts that are searched at the same time, each by itself: what one finds only helps those that come after. More of them
// would keep more cores busy, and leave more to be found out twice.
const sideBySide = 2

// Layouts are bounded without simulations, then stage by stage, then searched, those first that may be cheapest.
async function searchBelow(
  search: Search,
  { layouts, ceiling }: BelowOptions,
): Promise<Candidate | undefined> {
  const open: Layout[] = []
  for (const priced of layouts) {
    const raised = await raiseLayout(search, { priced, ceiling })
    if (raised !== undefined) open.push(raised)
  }
  open.sort((a, b) => leastCost(a) - leastCost(b))
  const best = new Incumbent(ceiling)
  for (let first = 0; first < open.length; first += sideBySide) {
    search.report({
      phase: 'search',
      costPerHour: best.candidate && best.costPerHour,
      boundPerHour: leastCost(open[first] as Layout),
    })
    const found = await Promise.all(
      open.slice(first, first + sideBySide).map(async (layout) => {
        const incumbent = new Incumbent(best.costPerHour)
        await searchLayout(search, { layout, incumbent })
        return incumbent.candidate
      }),
    )
    for (const candidate of found) if (candidate !== undefined) best.offer(candidate)
  }
  return best.candidate
}

async function searchForAny(
  search: Search,
  { layouts, ceiling }: BelowOptions,
): Promise<Candidate | undefined> {
  const incumbent = new Incumbent(ceiling)
  for (const priced of layouts) {
    const layout = await raiseLayout(search, { priced, ceiling })
    if (layout === undefined) continue
    const first = await grow(search, layout)
    if (first !== undefined) incumbent.offer(first)
    await searchLayout(search, { layout, incumbent, anyWillDo: true })
    if (incumbent.candidate !== undefined) break
  }
  return incumbent.candidate
}

// Undefined where it cannot be below the ceiling.
async function raiseLayout(
  search: Search,
  { priced, ceiling }: { readonly priced: PricedLayout; readonly ceiling: number },
): Promise<Layout | undefined> {
  const { space, ruledOut } = search
  const whole = size(priced, space)
  if (priced.leastPerHour >= ceiling - priceGrain) {
    ruledOut.add('dearer', whole)
    return undefined
  }
  const layout = priced.bounded()
  ruledOut.add('load', whole - volume(layout, space))
  if (leastCost(layout) >= ceiling - priceGrain) {
    ruledOut.add('dearer', volume(layout, space))
    return undefined
  }
  const raised = await raiseAlone(search, { layout, ceiling })
  ruledOut.add('alone', volume(layout, space) - volume(raised, space))
  return raised.options.some((options) => options.length === 0) ? undefined : raised
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
