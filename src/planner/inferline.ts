import { type Candidate, type Choice, costPerHour, overstepped, priceGrain } from './choice.ts'
import type { Search } from './search.ts'
import { accuracyOf, fastest, type Option, type Placement } from './search-space.ts'

/** What the strategy came to: a candidate, or the first limit in its way. */
export type Outcome = { readonly candidate: Candidate } | { readonly stoppedBy: string }

/**
 * The greedy planner of InferLine (Crankshaw et al., SoCC 2020, section 4.3): Initialize, then MinimizeCost. Where a stage
 * has several models it takes the most accurate.
 */
export async function inferline(search: Search): Promise<Outcome> {
  const started = await initialize(search)
  if ('stoppedBy' in started) return started
  search.report({ phase: 'minimize', costPerHour: costPerHour(started.candidate) })
  return { candidate: await minimizeCost(search, started.candidate) }
}

/** The placement of a stage that both InferLine and its baselines begin with: of its best model, the fastest. */
export function firstPlacement(placements: readonly Placement[]): Placement {
  const accuracy = Math.max(...placements.map(accuracyOf))
  return fastest(placements.filter((each) => accuracyOf(each) === accuracy)) as Placement
}

async function initialize(search: Search): Promise<Outcome> {
  const { space, judge } = search
  let current: Candidate = space.placements.map((placements) => ({
    option: firstPlacement(placements).options[0] as Option,
    replicas: 1,
  }))
  for (;;) {
    const [over] = overstepped(current, space)
    if (over !== undefined) return { stoppedBy: over }
    const [late = 0] = await judge.late([current])
    if (late <= judge.allowed) return { candidate: current }
    const stage = bottleneck(search, current)
    if (stage === undefined) return { stoppedBy: 'maxReplicas' }
    const choice = current[stage] as Choice
    current = current.with(stage, { ...choice, replicas: choice.replicas + 1 })
  }
}

// The stage that can serve the fewest requests, of those that may have another replica.
function bottleneck({ space }: Search, candidate: Candidate): number | undefined {
  const rates = candidate.map(({ option, replicas }, stage) => {
    if (replicas >= space.limits.maxReplicas) return Number.POSITIVE_INFINITY
    const rowMs = (option.serviceMs[option.maxBatch] ?? 0) / option.maxBatch
    return replicas / rowMs / (space.graph.meanRows[stage] ?? 1)
  })
  const least = Math.min(...rates)
  return least === Number.POSITIVE_INFINITY ? undefined : rates.indexOf(least)
}

async function minimizeCost(search: Search, start: Candidate): Promise<Candidate> {
  let current = start
  for (;;) {
    const stages = current.map((_, stage) => stage)
    const downgrades = await Promise.all(
      stages.map((stage) => downgradeTier(search, { current, stage })),
    )
    const cheaper = [...removals(current, stages), ...downgrades.filter((one) => one !== undefined)]
    const saved = await cheapestMet(search, { candidates: cheaper, current })
    const next = saved ?? (await firstMet(search, doublings(search, { current, stages })))
    if (next === undefined) return current
    current = next
  }
}

interface StageMove {
  readonly current: Candidate
  readonly stage: number
}

// Freezes the others, and plans this stage anew on the next cheaper tier.
async function downgradeTier(search: Search, move: StageMove): Promise<Candidate | undefined> {
  const placement = nextCheaper(search, move)
  if (placement === undefined) return undefined
  const started = await growStage(search, { ...move, option: placement.options[0] as Option })
  return started && (await minimizeStage(search, { current: started, stage: move.stage }))
}

function nextCheaper({ space }: Search, { current, stage }: StageMove): Placement | undefined {
  const { option } = current[stage] as Choice
  return space.placements[stage]
    ?.filter(
      ({ model, pricePerHour }) => model === option.model && pricePerHour < option.pricePerHour,
    )
    .sort((a, b) => b.pricePerHour - a.pricePerHour || a.leastMs - b.leastMs)[0]
}

async function growStage(
  { space, judge }: Search,
  { current, stage, option }: StageMove & { readonly option: Option },
): Promise<Candidate | undefined> {
  for (let replicas = 1; replicas <= space.limits.maxReplicas; replicas++) {
    const candidate = current.with(stage, { option, replicas })
    if (overstepped(candidate, space).length > 0) return undefined
    const [late = 0] = await judge.late([candidate])
    if (late <= judge.allowed) return candidate
  }
  return undefined
}

async function minimizeStage(search: Search, { current, stage }: StageMove): Promise<Candidate> {
  const saved = await cheapestMet(search, { candidates: removals(current, [stage]), current })
  const stages = [stage]
  const next = saved ?? (await firstMet(search, doublings(search, { current, stages })))
  return next === undefined ? current : await minimizeStage(search, { current: next, stage })
}

function removals(current: Candidate, stages: readonly number[]): readonly Candidate[] {
  return stages.flatMap((stage) => {
    const choice = current[stage] as Choice
    const replicas = choice.replicas - 1
    return replicas === 0 ? [] : [current.with(stage, { ...choice, replicas })]
  })
}

// To twice the batch, as far as that was profiled.
function doublings(
  { space }: Search,
  { current, stages }: { readonly current: Candidate; readonly stages: readonly number[] },
): readonly Candidate[] {
  return stages.flatMap((stage) => {
    const { option, replicas } = current[stage] as Choice
    const placement = space.placements[stage]?.find(({ options }) => options.includes(option))
    const larger = placement?.options.find(({ maxBatch }) => maxBatch === option.maxBatch * 2)
    return larger === undefined ? [] : [current.with(stage, { option: larger, replicas })]
  })
}

async function cheapestMet(
  search: Search,
  {
    candidates,
    current,
  }: { readonly candidates: readonly Candidate[]; readonly current: Candidate },
): Promise<Candidate | undefined> {
  const limit = costPerHour(current) - priceGrain
  const cheaper = candidates.filter((each) => costPerHour(each) < limit)
  return await firstMet(
    search,
    cheaper.toSorted((a, b) => costPerHour(a) - costPerHour(b)),
  )
}

async function firstMet(
  { judge, space }: Search,
  candidates: readonly Candidate[],
): Promise<Candidate | undefined> {
  const within = candidates.filter((each) => overstepped(each, space).length === 0)
  const counts = await judge.late(within)
  return within.find((_, index) => (counts[index] ?? 0) <= judge.allowed)
}
