import { bounded, type BoundedOption, windowsMs } from './bounds.ts'
import { searchBoxes } from './boxes.ts'
import { priceGrain } from './choice.ts'
import type { Candidate } from './choice.ts'
import { grow } from './grow.ts'
import { type Layout, leastCost } from './layout.ts'
import { raiseAlone } from './raise-alone.ts'
import { Incumbent, type Search } from './search.ts'
import { accurateEnough, fastest, type Placement } from './search-space.ts'

export const layoutCounters = { layouts: 0, tried: 0 }
export const debug = { log: (_: string) => {} }

/** The cheapest candidate that meets the objective, if there is one. */
export async function optimal(search: Search): Promise<Candidate | undefined> {
  const incumbent = new Incumbent()
  const layouts = layoutsOf(search)
  layoutCounters.layouts = layouts.length
  debug.log('layouts')
  for (const { placements, least } of layouts) {
    if (least >= incumbent.costPerHour - priceGrain) break
    const layout = boundedLayout(search, placements)
    if (leastCost(layout) >= incumbent.costPerHour - priceGrain) continue
    layoutCounters.tried++
    const raised = await raiseAlone(search, { layout, ceiling: incumbent.costPerHour })
    debug.log(`alone ${placements.map((p) => p.tier)} ${raised.options.map((o) => o.map((x) => `${x.option.maxBatch}>=${x.least}`).join(' ')).join(' | ')} LB ${leastCost(raised)} U ${incumbent.costPerHour}`)
    if (leastCost(raised) >= incumbent.costPerHour - priceGrain) continue
    if (incumbent.candidate === undefined) {
      const first = await grow(search, raised)
      if (first !== undefined) incumbent.offer(first)
      debug.log(`grow ${incumbent.costPerHour}`)
    }
    await searchBoxes(search, { layout: raised, incumbent })
    debug.log(`boxes ${incumbent.costPerHour}`)
  }
  return incumbent.candidate
}

function boundedLayout({ space, traffic }: Search, placements: readonly Placement[]): Layout {
  const windows = windowsMs(space.graph, { layout: placements, latencyMs: traffic.latencyMs })
  const options = placements.map((placement, stage) =>
    placement.options.flatMap((option) => {
      const question = { space, traffic, stage, windowMs: windows[stage] as number }
      const found = bounded(option, question)
      return found === undefined ? [] : [found]
    }),
  )
  return { placements, windows, options }
}

// With the least each placement costs where all others are as fast as can be; cheapest first.
function layoutsOf({ space, traffic }: Search): { placements: readonly Placement[]; least: number }[] {
  const ideal = space.placements.map((placements) => fastest(placements) as Placement)
  const windows = windowsMs(space.graph, { layout: ideal, latencyMs: traffic.latencyMs })
  const columns = space.placements.map((placements, stage) =>
    placements.flatMap((placement) => {
      const options: BoundedOption[] = placement.options.flatMap((option) => bounded(option, { space, traffic, stage, windowMs: windows[stage] as number }) ?? [])
      if (options.length === 0) return []
      return [{ placement, least: placement.pricePerHour * Math.min(...options.map(({ least }) => least)) }]
    }),
  )
  let layouts: { placements: readonly Placement[]; least: number }[] = [{ placements: [], least: 0 }]
  for (const column of columns) {
    layouts = layouts.flatMap(({ placements, least }) =>
      column.map((each) => ({ placements: [...placements, each.placement], least: least + each.least })),
    )
  }
  return layouts
    .filter(({ placements }) => accurateEnough(placements.reduce((p, { options }) => p * (options[0]?.accuracy ?? 1), 1), space.limits.minAccuracy))
    .sort((a, b) => a.least - b.least)
}
