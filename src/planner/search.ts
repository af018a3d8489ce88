import type { BoundedSpace } from './bounds.ts'
import type { Judge } from './judge.ts'
import type { SearchSpace } from './search-space.ts'

/** What every strategy is given. */
export interface Search {
  readonly space: SearchSpace
  readonly bounded: BoundedSpace
  readonly judge: Judge
  /** Configurations ruled out, by the name of the bound. */
  readonly ruledOut: Map<string, number>
  readonly report: (progress: SearchProgress) => void
}

export interface SearchProgress {
  readonly phase: string
  /** Of the cheapest plan found so far. */
  readonly bestCostPerHour?: number | undefined
  /** No plan is cheaper. */
  readonly leastCostPerHour?: number | undefined
}

export function ruleOut(search: Search, { by, count }: { by: string; count: number }): void {
  if (count > 0) search.ruledOut.set(by, (search.ruledOut.get(by) ?? 0) + count)
}

/**
 * Late requests from which a candidate is taken to miss the objective with more replicas of the other stages, too. More
 * replicas now and then make a few requests later, as smaller batches are formed; hence the margin. See the README for
 * how often that was seen.
 */
export function clearlyLate(judge: Judge): number {
  return judge.allowed + Math.ceil(judge.allowed * marginShare) + marginRequests
}

const marginShare = 0.25
const marginRequests = 4
