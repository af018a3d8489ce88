// Bounds that need no simulation. Each rules out only what misses the objective for certain.
import { type BatchCurve, batchCurve, leastBatchMs } from './batch-curve.ts'
import { type Demand, demands, fewestLate } from './demand.ts'
import type { Option, SearchSpace } from './search-space.ts'
import { largestWithin, leastRowMs } from './service-times.ts'
import { floors, longestAlways } from './stage-graph.ts'

/** An option and what is known of it. */
export interface BoundedOption {
  readonly option: Option
  /** Fewer replicas miss the objective, whatever the other stages do. */
  least: number
  readonly curve: BatchCurve
}

/** Options that are left, and how many (option, replicas) pairs each bound has ruled out, by stage. */
export interface BoundedSpace {
  readonly options: readonly (readonly BoundedOption[])[]
  readonly demands: readonly Demand[]
  /** Of the objective, without what is spent outside of the stages. */
  readonly latencyMs: number
  readonly leastServiceMs: readonly number[]
  /** By stage, the time its rows may take. */
  readonly windowsMs: readonly number[]
}

export interface BoundsQuestion {
  readonly space: SearchSpace
  readonly arrivalsMs: Float64Array
  /** Rows of each stage in the whole trace. */
  readonly visits: readonly number[]
  readonly latencyMs: number
  readonly allowed: number
}

/** What one bound did to the options of a stage: pairs of option and replicas before and after. */
export type OnBound = (name: string, stage: number, least: readonly number[]) => void

export function boundedSpace(question: BoundsQuestion): BoundedSpace {
  const { space, arrivalsMs, allowed, latencyMs } = question
  const { graph } = space
  const leastServiceMs = space.options.map((options) =>
    Math.min(...options.map(({ serviceMs }) => serviceMs[1] as number)),
  )
  const { beforeMs, afterMs } = floors(graph, leastServiceMs)
  const windowsMs = graph.names.map(
    (_, stage) => latencyMs - (beforeMs[stage] ?? 0) - (afterMs[stage] ?? 0) + roundingMs,
  )
  return {
    demands: demands({ arrivalsMs, allowed }),
    latencyMs,
    leastServiceMs,
    windowsMs,
    options: space.options.map((options, stage) =>
      options.flatMap((option) => {
        const windowMs = windowsMs[stage] as number
        const curve = batchCurve(option.serviceMs, windowMs)
        if (curve === undefined) return []
        const least = leastReplicas(option, { ...question, stage, windowMs })
        return least > space.limits.maxReplicas ? [] : [{ option, curve, least }]
      }),
    ),
  }
}

/**
 * The least the batches along the longest path take together, on average, if stages with these replicas get all rows
 * done that must not be late. Undefined stages are as fast as can be.
 */
export function leastPathMs(
  bounded: BoundedSpace,
  { space, chosen }: { space: SearchSpace; chosen: readonly (ChosenReplicas | undefined)[] },
): number {
  const paths = bounded.demands.map(({ rows, lengthMs }) =>
    longestAlways(
      space.graph,
      chosen.map((choice, stage) => {
        const fastest = bounded.leastServiceMs[stage] as number
        if (choice === undefined || space.graph.always[stage] !== true) return fastest
        const availableMs = choice.replicas * (lengthMs + (bounded.windowsMs[stage] as number))
        return leastBatchMs(choice.bounded.curve, availableMs / rows)
      }),
    ),
  )
  return Math.max(...paths)
}

export interface ChosenReplicas {
  readonly bounded: BoundedOption
  readonly replicas: number
}

// The simulator counts whole nanoseconds.
const roundingMs = 1e-5

interface ReplicaQuestion extends BoundsQuestion {
  readonly stage: number
  readonly windowMs: number
}

function leastReplicas(option: Option, question: ReplicaQuestion): number {
  const { space, stage, windowMs, arrivalsMs, allowed } = question
  const mostRows = largestWithin(option.serviceMs, windowMs)
  const rowMs = leastRowMs(option.serviceMs, mostRows)
  const spanMs = (arrivalsMs.at(-1) ?? 0) - (arrivalsMs[0] ?? 0)
  const late = allowed * (space.graph.mostRows[stage] ?? 1)
  const onTime = Math.max(0, (question.visits[stage] ?? 0) - late)
  let low = Math.max(1, Math.ceil((onTime * rowMs) / (spanMs + windowMs) - 1e-9))
  if (space.graph.always[stage] !== true) return low
  let high = space.limits.maxReplicas + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const query = { rowMs: rowMs / middle, windowMs, enough: allowed }
    if (fewestLate(arrivalsMs, query) > allowed) low = middle + 1
    else high = middle
  }
  return low
}
