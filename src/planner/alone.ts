import type { BoundedOption } from './bounds.ts'
import { type Candidate, type Choice, priceGrain } from './choice.ts'
import type { Option } from './search-space.ts'
import { clearlyLate, type Search } from './search.ts'

/**
 * Raises the least replicas of each option by simulating its stage with all others ideal: batches of one, at once. Options
 * that would make the whole dearer than `ceiling` are dropped.
 */
export async function raiseAlone(search: Search, ceiling: number): Promise<BoundedOption[][]> {
  const left = search.bounded.options.map((options) => [...options])
  const ideals = left.map((_, stage) => ideal(search, stage))
  let active = left.flatMap((options, stage) => options.map((bounded) => ({ bounded, stage, step: 1, low: bounded.least, high: Infinity })))
  while (active.length > 0) {
    active = active.filter((each) => each.bounded.least <= mostReplicas(each, { search, left, ceiling }))
    const probes = active.map((each) => {
      const most = mostReplicas(each, { search, left, ceiling })
      const k = Math.min(each.low + each.step - 1, each.high === Infinity ? most : each.high - 1)
      return { each, k: Math.max(k, each.low) }
    })
    const candidates = probes.map(({ each, k }) => ideals.with(each.stage, { option: each.bounded.option, replicas: k }))
    const clear = clearlyLate(search.judge)
    const counts = await search.judge.late(candidates, { enough: clear, relaxed: true })
    const next = []
    for (const [index, { each, k }] of probes.entries()) {
      if ((counts[index] as number) > clear) {
        each.low = k + 1
        each.bounded.least = k + 1
        each.step = each.high === Infinity ? each.step * 2 : Math.max(1, Math.floor((each.high - each.low) / 2))
      } else {
        each.high = k
        each.step = Math.max(1, Math.floor((each.high - each.low) / 2))
      }
      if (each.low < each.high) next.push(each)
    }
    active = next
  }
  return left.map((options, stage) =>
    options.filter((bounded) => bounded.least <= mostReplicas({ bounded, stage }, { search, left, ceiling })),
  )
}

export function mostReplicas(
  { bounded, stage }: { bounded: BoundedOption; stage: number },
  { search, left, ceiling }: { search: Search; left: readonly (readonly BoundedOption[])[]; ceiling: number },
): number {
  const others = left.reduce(
    (sum, options, other) => (other === stage ? sum : sum + Math.min(...options.map(({ option, least }) => option.pricePerHour * least))),
    0,
  )
  const most = Math.floor((ceiling - priceGrain - others) / bounded.option.pricePerHour)
  return Math.min(most, search.space.limits.maxReplicas)
}

function ideal(search: Search, stage: number): Choice {
  const options = search.space.options[stage] as readonly Option[]
  const fastest = options.reduce((best, each) => (at1(each) < at1(best) ? each : best))
  return { option: { ...fastest, maxBatch: 1 }, replicas: 100_000 }
}

function at1(option: Option): number {
  return option.serviceMs[1] as number
}
export type { Candidate }
