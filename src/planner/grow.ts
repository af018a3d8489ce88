import type { BoundedOption } from './bounds.ts'
import { type Candidate, costPerHour, overstepped } from './choice.ts'
import type { Layout } from './layout.ts'
import type { Search } from './search.ts'

/**
 * A good plan of this layout, soon: from the least replicas of each stage up, always by the change that makes the fewest
 * requests late for its price. The cheaper it is, the more the exact search can leave out.
 */
export async function grow(search: Search, layout: Layout): Promise<Candidate | undefined> {
  const { judge, space } = search
  let current: Candidate = layout.options.map((options) => {
    const { option, least } = cheapest(options)
    return { option, replicas: least }
  })
  if (overstepped(current, space).length > 0) return undefined
  let [late = 0] = await judge.late([current], { enough: judge.requests })
  while (late > judge.allowed) {
    const moves = neighbours(layout, current).filter((to) => overstepped(to, space).length === 0)
    const counts = await judge.late(moves, { enough: late })
    const best = bestMove({
      moves,
      counts,
      late,
      from: costPerHour(current),
      allowed: judge.allowed,
    })
    if (best === undefined) return undefined
    current = moves[best] as Candidate
    late = counts[best] as number
  }
  return current
}

function cheapest(options: readonly BoundedOption[]): BoundedOption {
  return options.toSorted(
    (a, b) => price(a) - price(b) || a.option.maxBatch - b.option.maxBatch,
  )[0] as BoundedOption
}

function price({ option, least }: BoundedOption): number {
  return option.pricePerHour * least
}

interface Moves {
  readonly moves: readonly Candidate[]
  readonly counts: readonly number[]
  readonly late: number
  readonly from: number
  readonly allowed: number
}

function bestMove({ moves, counts, late, from, allowed }: Moves): number | undefined {
  let best: number | undefined
  let most = 0
  for (const [index, count] of counts.entries()) {
    const extra = costPerHour(moves[index] as Candidate) - from
    const gain = (late - Math.max(count, allowed)) / (extra + from * freeMove)
    if (gain > most) [best, most] = [index, gain]
  }
  return best
}

// What a change that costs nothing is taken to cost, as a share of the whole.
const freeMove = 0.005

function neighbours({ options }: Layout, from: Candidate): Candidate[] {
  return from.flatMap((choice, stage) => {
    const column = options[stage] as readonly BoundedOption[]
    const at = column.findIndex(({ option }) => option === choice.option)
    const others = [column[at - 1], column[at + 1]].flatMap((near) =>
      near === undefined
        ? []
        : [{ option: near.option, replicas: Math.max(near.least, choice.replicas) }],
    )
    const more = { option: choice.option, replicas: choice.replicas + 1 }
    return [more, ...others].map((each) => from.with(stage, each))
  })
}
