import type { BoundedOption } from './bounds.ts'
import { priceGrain } from './choice.ts'
import type { Placement, SearchSpace } from './search-space.ts'

/** One placement a stage; what is left to choose are largest batches and replicas. */
export interface Layout {
  readonly placements: readonly Placement[]
  /** By stage, the time its rows may take. */
  readonly windows: readonly number[]
  /** By stage, options that may do. */
  readonly options: readonly (readonly BoundedOption[])[]
}

/** The least one stage can cost; infinite where it has no option left. */
export function leastPrice(options: readonly BoundedOption[]): number {
  let least = Number.POSITIVE_INFINITY
  for (const { option, least: replicas } of options) {
    least = Math.min(least, option.pricePerHour * replicas)
  }
  return least
}

export function leastCost(layout: Layout): number {
  return layout.options.reduce((sum, options) => sum + leastPrice(options), 0)
}

/** Replicas that an option may have while the whole stays below the ceiling, all other stages at their least. */
export function mostReplicas(
  layout: Layout,
  {
    stage,
    option,
    ceiling,
    space,
  }: { stage: number; option: BoundedOption; ceiling: number; space: SearchSpace },
): number {
  const { pricePerHour } = option.option
  const { maxReplicas } = space.limits
  if (pricePerHour === 0 || ceiling === Number.POSITIVE_INFINITY) return maxReplicas
  const others = leastCost(layout) - leastPrice(layout.options[stage] ?? [])
  const most = Math.floor((ceiling - priceGrain - others) / pricePerHour)
  return Math.max(0, Math.min(maxReplicas, most))
}

/** Configurations with at least so many replicas. */
export function volume({ options }: Layout, { limits }: SearchSpace): number {
  return options.reduce(
    (product, each) =>
      product * each.reduce((sum, { least }) => sum + limits.maxReplicas - least + 1, 0),
    1,
  )
}
