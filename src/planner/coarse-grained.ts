import { type Candidate, overstepped } from './choice.ts'
import { mostWithin } from './demand.ts'
import { firstPlacement, type Outcome } from './inferline.ts'
import type { Search } from './search.ts'
import type { Option, Placement } from './search-space.ts'
import { longestPathMs } from './stage-graph.ts'

/** Which rate of the trace the pipeline is made to sustain. */
export type SustainedRate = 'mean' | 'peak'

/**
 * The baselines of InferLine (SoCC 2020, section 6): the pipeline as one black box, each stage on the tier that is fastest
 * for one row, all with the largest common batch that alone still meets the objective; and as many of these boxes as
 * sustain the mean rate, or the most arrivals in any stretch as long as the objective. Nothing is simulated, so the plan may
 * miss the objective: its estimate says so.
 */
export function coarseGrained(search: Search, rate: SustainedRate): Outcome {
  const { space, traffic } = search
  const placements = space.placements.map(firstPlacement)
  const sizes = commonSizes(placements).filter((size) => {
    const timesMs = placements.map((each) => optionOf(each, size).serviceMs[size] ?? 0)
    return longestPathMs(space.graph, timesMs) <= traffic.latencyMs
  })
  const options = placements.map((placement) => optionOf(placement, sizes.at(-1) ?? 1))
  const boxRatePerMs = Math.min(
    ...options.map((option, stage) => {
      const rowsPerMs = option.maxBatch / (option.serviceMs[option.maxBatch] ?? 1)
      return rowsPerMs / (space.graph.meanRows[stage] ?? 1)
    }),
  )
  const replicas = Math.max(1, Math.ceil(ratePerMs(search, rate) / boxRatePerMs - 1e-9))
  const candidate: Candidate = options.map((option) => ({ option, replicas }))
  const [over] = overstepped(candidate, space)
  return over === undefined ? { candidate } : { stoppedBy: over }
}

function ratePerMs({ traffic }: Search, rate: SustainedRate): number {
  const { arrivalsMs, latencyMs } = traffic
  if (rate === 'peak') return mostWithin(arrivalsMs, latencyMs) / latencyMs
  const spanMs = (arrivalsMs.at(-1) ?? 0) - (arrivalsMs[0] ?? 0)
  return arrivalsMs.length / Math.max(spanMs, latencyMs)
}

// Sizes that every stage may have.
function commonSizes(placements: readonly Placement[]): readonly number[] {
  const [first, ...others] = placements.map(({ options }) => options.map((each) => each.maxBatch))
  return (first ?? []).filter((size) => others.every((sizes) => sizes.includes(size)))
}

function optionOf({ options }: Placement, size: number): Option {
  return options.find(({ maxBatch }) => maxBatch === size) as Option
}
