import { type Candidate, type Choice, overstepped } from './choice.ts'
import type { Search } from './search.ts'

/**
 * Of plans that cost the same, one with fewer late requests: largest batches are changed, one at a time to the next smaller
 * or larger, as long as that helps.
 */
export async function settle(search: Search, start: Candidate): Promise<Candidate> {
  const { judge } = search
  let current = start
  let [late = 0] = await judge.late([current], { enough: judge.requests })
  while (late > 0) {
    const moves = otherBatches(search, current)
    const counts = await judge.late(moves, { enough: late })
    const least = Math.min(late, ...counts)
    if (least >= late) break
    current = moves[counts.indexOf(least)] as Candidate
    late = least
  }
  return current
}

function otherBatches({ space }: Search, candidate: Candidate): readonly Candidate[] {
  const moves = candidate.flatMap((choice, stage) => {
    const placement = space.placements[stage]?.find(({ options }) =>
      options.includes(choice.option),
    )
    const options = placement?.options ?? []
    const at = options.indexOf(choice.option)
    return [options[at - 1], options[at + 1]]
      .filter((option) => option !== undefined)
      .map((option): Choice => ({ option, replicas: choice.replicas }))
      .map((other) => candidate.with(stage, other))
  })
  return moves.filter((move) => overstepped(move, space).length === 0)
}
