import type { Candidate, Choice } from './choice.ts'
import type { Search } from './search.ts'
import type { Placement } from './search-space.ts'
import { floors } from './stage-graph.ts'

/** By stage: what each part of its choice is for, told by what the next cheaper, or smaller, would have missed by. */
export async function reasons(
  search: Search,
  candidate: Candidate,
): Promise<Readonly<Record<string, string>>> {
  const alternatives = candidate.flatMap((choice, stage) =>
    [fewerReplicas(choice), smallerBatch(search, { choice, stage })].map(
      (other): Candidate | undefined => other && candidate.with(stage, other),
    ),
  )
  const asked = alternatives.filter((each) => each !== undefined)
  const all = { enough: search.judge.requests }
  const counts = await search.judge.late([candidate, ...asked], all)
  const [planned = 0] = counts
  const lateOf = (alternative: Candidate | undefined): Lateness | undefined =>
    alternative && { late: counts[asked.indexOf(alternative) + 1] as number, planned }
  return Object.fromEntries(
    candidate.map((choice, stage) => {
      const parts = [
        replicasReason(search, { choice, lateness: lateOf(alternatives[2 * stage]) }),
        batchReason(search, { choice, stage, lateness: lateOf(alternatives[2 * stage + 1]) }),
        tierReason(search, { candidate, stage }),
      ]
      return [search.space.graph.names[stage] as string, parts.join('; ')]
    }),
  )
}

/** How many requests would be late with something else, and are with what was planned. */
interface Lateness {
  readonly late: number
  readonly planned: number
}

function fewerReplicas({ option, replicas }: Choice): Choice | undefined {
  return replicas === 1 ? undefined : { option, replicas: replicas - 1 }
}

interface StageChoice {
  readonly choice: Choice
  readonly stage: number
}

function smallerBatch(search: Search, { choice, stage }: StageChoice): Choice | undefined {
  const { options } = placementOf(search, { choice, stage })
  const smaller = options[options.indexOf(choice.option) - 1]
  return smaller && { option: smaller, replicas: choice.replicas }
}

function placementOf({ space }: Search, { choice, stage }: StageChoice): Placement {
  const placements = space.placements[stage] ?? []
  return placements.find(({ options }) => options.includes(choice.option)) as Placement
}

function replicasReason(
  search: Search,
  { choice, lateness }: { readonly choice: Choice; readonly lateness: Lateness | undefined },
): string {
  if (lateness === undefined) return '1 replica: the fewest'
  const { replicas } = choice
  return `${replicas} replicas: with ${replicas - 1}, ${shareLate(search, lateness)}`
}

function batchReason(
  search: Search,
  { choice, stage, lateness }: StageChoice & { readonly lateness: Lateness | undefined },
): string {
  const batch = `batch ${choice.option.maxBatch}`
  const smaller = smallerBatch(search, { choice, stage })
  if (smaller === undefined || lateness === undefined) return `${batch}: the smallest`
  return `${batch}: with ${smaller.option.maxBatch}, ${shareLate(search, lateness)}`
}

function shareLate({ judge }: Search, { late, planned }: Lateness): string {
  const { requests, allowed } = judge
  if (late === planned) return 'as many requests would be late'
  const share = `${percent(late / requests)} of requests would be late`
  // That would do, too: of plans that cost the same, the one with fewer late requests is taken.
  if (late <= allowed) return `${share} instead of ${percent(planned / requests)}`
  return `${share} (${percent(allowed / requests)} allowed)`
}

// Of the placements that cost less a replica, the one that costs most.
function tierReason(
  search: Search,
  { candidate, stage }: { readonly candidate: Candidate; readonly stage: number },
): string {
  const choice = candidate[stage] as Choice
  const { option } = choice
  const cheaper = (search.space.placements[stage] ?? [])
    .filter((each) => each.pricePerHour < option.pricePerHour)
    .sort((a, b) => b.pricePerHour - a.pricePerHour)[0]
  if (cheaper === undefined) return `${nameOf(option)}: the cheapest`
  const windowMs = windowOf(search, { candidate, stage })
  const name = `${nameOf(option)}: ${nameOf(cheaper)}`
  if (cheaper.leastMs > windowMs) {
    return `${name} would take ${milliseconds(cheaper.leastMs)} of the ${milliseconds(windowMs)} left for it`
  }
  const replicas = leastForLoad(search, { placement: cheaper, stage })
  const cost = replicas * cheaper.pricePerHour
  if (cost >= choice.replicas * option.pricePerHour) {
    return `${name} would take at least ${replicas} replicas to keep up, which cost no less`
  }
  return `${name} would take ${milliseconds(cheaper.leastMs)} for a row instead of ${milliseconds(option.serviceMs[1] ?? 0)}`
}

function windowOf(
  { space, traffic }: Search,
  { candidate, stage }: { readonly candidate: Candidate; readonly stage: number },
): number {
  const leastMs = candidate.map(({ option }) => option.serviceMs[1] ?? 0)
  const { beforeMs, afterMs } = floors(space.graph, leastMs)
  return traffic.latencyMs - (beforeMs[stage] ?? 0) - (afterMs[stage] ?? 0)
}

function leastForLoad(
  { space, traffic }: Search,
  { placement, stage }: { readonly placement: Placement; readonly stage: number },
): number {
  const { arrivalsMs, latencyMs, allowed } = traffic
  const spanMs = (arrivalsMs.at(-1) ?? 0) - (arrivalsMs[0] ?? 0) + latencyMs
  const rows = (arrivalsMs.length - allowed) * (space.graph.meanRows[stage] ?? 1)
  const largest = placement.options.at(-1)
  const rowMs = (largest?.serviceMs[largest.maxBatch] ?? 0) / (largest?.maxBatch ?? 1)
  return Math.max(1, Math.ceil((rows * rowMs) / spanMs - 1e-9))
}

function nameOf({ model, tier }: { model: string | undefined; tier: string }): string {
  return model === undefined ? tier : `${model} on ${tier}`
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`
}

function milliseconds(ms: number): string {
  return `${Number(ms.toPrecision(3))} ms`
}
