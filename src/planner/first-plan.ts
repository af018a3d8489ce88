import type { BoundedOption } from './bounds.ts'
import { type Candidate, type Choice, costPerHour, overstepped, priceGrain } from './choice.ts'
import type { Search } from './search.ts'

/** A good plan, soon: the cheaper it is the more the exact search can leave out. */
export async function firstPlan(search: Search): Promise<Candidate | undefined> {
  const start = search.bounded.options.map((options) => {
    const cheapest = options.toSorted(
      (a, b) => price(a) - price(b) || b.option.maxBatch - a.option.maxBatch,
    )[0] as BoundedOption
    return { option: cheapest.option, replicas: cheapest.least }
  })
  const grown = await grow(search, start)
  return grown === undefined ? undefined : await trim(search, grown)
}

function price({ option, least }: BoundedOption): number {
  return option.pricePerHour * least
}

async function grow(search: Search, start: Candidate): Promise<Candidate | undefined> {
  const { judge, space } = search
  let current = start
  let [late = 0] = await judge.late([current], { enough: judge.requests })
  while (late > judge.allowed) {
    const base = costPerHour(current)
    const moves = neighbours(search, current).filter((to) => overstepped(to, space).length === 0)
    const counts = await judge.late(moves, { enough: late })
    let [best, bestGain] = [-1, 0]
    for (const [index, count] of counts.entries()) {
      const extra = Math.max(costPerHour(moves[index] as Candidate) - base, 0)
      // free moves first where they help noticeably
      const gain = (late - Math.max(count, judge.allowed)) / (extra + 1e-3)
      if (count < late && gain > bestGain) [best, bestGain] = [index, gain]
    }
    if (best < 0) return undefined
    current = moves[best] as Candidate
    late = counts[best] as number
  }
  return current
}

async function trim(search: Search, start: Candidate): Promise<Candidate> {
  let best = start
  for (;;) {
    const cost = costPerHour(best)
    const moves = cheaper(search, best)
      .filter((to) => costPerHour(to) < cost - priceGrain && overstepped(to, search.space).length === 0)
      .sort((a, b) => costPerHour(a) - costPerHour(b))
    const counts = await search.judge.late(moves)
    const found = moves.find((_, index) => (counts[index] as number) <= search.judge.allowed)
    if (found === undefined) return best
    best = found
  }
}

function neighbours({ bounded }: Search, from: Candidate): Candidate[] {
  return from.flatMap((choice, stage) => {
    const options = bounded.options[stage] as readonly BoundedOption[]
    const more: Choice[] = [{ ...choice, replicas: choice.replicas + 1 }]
    for (const { option, least } of options) {
      const same = option.tier === choice.option.tier && option.model === choice.option.model
      const near = option.maxBatch === choice.option.maxBatch * 2 || option.maxBatch * 2 === choice.option.maxBatch
      if (same && near) more.push({ option, replicas: Math.max(choice.replicas, least) })
      if (!same && option.maxBatch === choice.option.maxBatch) more.push({ option, replicas: least })
    }
    return more.map((each) => from.with(stage, each))
  })
}

function cheaper(search: Search, from: Candidate): Candidate[] {
  const { bounded } = search
  const single = from.flatMap((choice, stage) =>
    (bounded.options[stage] as readonly BoundedOption[]).flatMap(({ option, least }) => {
      const most = Math.ceil((choice.option.pricePerHour * choice.replicas) / option.pricePerHour - 1e-9) - 1
      const replicas = [most, most - 1].filter((k) => k >= least)
      return replicas.map((k) => from.with(stage, { option, replicas: k }))
    }),
  )
  return single
}
