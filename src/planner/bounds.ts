// Bounds that need no simulation. Each rules out only what misses the objective for certain.
import { type BatchCurve, batchCurve, leastBatchMs } from './batch-curve.ts'
import { type Demand, demands, fewestLate } from './demand.ts'
import type { Option, Placement, SearchSpace } from './search-space.ts'
import { largestWithin, leastRowMs } from './service-times.ts'
import { floors, longestAlways, type StageGraph } from './stage-graph.ts'

/** An option and what is known of it. */
export interface BoundedOption {
  readonly option: Option
  /** Fewer replicas miss the objective, whatever the other stages do. */
  readonly least: number
  readonly curve: BatchCurve
}

/** The trace and the objective, as far as the bounds look at them. */
export interface Traffic {
  readonly arrivalsMs: Float64Array
  readonly demands: readonly Demand[]
  /** Requests that may be late. */
  readonly allowed: number
  /** Of the objective, without what is spent outside of the stages. */
  readonly latencyMs: number
}

export function traffic(given: Omit<Traffic, 'demands'>): Traffic {
  return { ...given, demands: demands(given) }
}

/** Milliseconds that rows of each stage may take, when the other stages take as little as they can. */
export function windowsMs(
  graph: StageGraph,
  { layout, latencyMs }: { layout: readonly Placement[]; latencyMs: number },
): readonly number[] {
  const { beforeMs, afterMs } = floors(
    graph,
    layout.map(({ leastMs }) => leastMs),
  )
  return layout.map(
    (_, stage) => latencyMs - (beforeMs[stage] ?? 0) - (afterMs[stage] ?? 0) + roundingMs,
  )
}

export interface OptionQuestion {
  readonly space: SearchSpace
  readonly traffic: Traffic
  readonly stage: number
  readonly windowMs: number
}

/** The option with its bounds; undefined where no number of replicas within the limits is enough. */
export function bounded(option: Option, question: OptionQuestion): BoundedOption | undefined {
  const { space, windowMs } = question
  const curve = batchCurve(option.serviceMs, windowMs)
  if (curve === undefined) return undefined
  const least = leastReplicas(option, question)
  return least > space.limits.maxReplicas ? undefined : { option, curve, least }
}

export interface PathQuestion {
  readonly graph: StageGraph
  readonly traffic: Traffic
  readonly windows: readonly number[]
  readonly options: readonly BoundedOption[]
  readonly replicas: readonly number[]
}

/**
 * The least that batches along the longest path take together, on average, if these replicas are to get all rows done that
 * must not be late: replicas that are nearly full have to form large batches, which take long. Above the objective it
 * cannot be met.
 */
export function leastPathMs(question: PathQuestion): number {
  const { graph, traffic, windows, options, replicas } = question
  let longestMs = 0
  for (const { rows, lengthMs } of traffic.demands) {
    const timesMs = options.map(({ curve }, stage) => {
      if (graph.always[stage] !== true) return 0
      const availableMs = (replicas[stage] ?? 0) * (lengthMs + (windows[stage] ?? 0))
      return leastBatchMs(curve, availableMs / rows)
    })
    longestMs = Math.max(longestMs, longestAlways(graph, timesMs))
  }
  return longestMs
}

// The simulator counts whole nanoseconds.
export const roundingMs = 1e-5

function leastReplicas(
  option: Option,
  { space, traffic, stage, windowMs }: OptionQuestion,
): number {
  const { arrivalsMs, allowed } = traffic
  const rowMs = leastRowMs(option.serviceMs, largestWithin(option.serviceMs, windowMs))
  const low = leastForRows(space.graph, { stage, traffic, windowMs, rowMs })
  if (space.graph.always[stage] !== true) return low
  return leastWhere(
    (replicas) =>
      fewestLate(arrivalsMs, { rowMs: rowMs / replicas, windowMs, enough: allowed }) <= allowed,
    { low, most: space.limits.maxReplicas },
  )
}

interface RowsQuestion {
  readonly stage: number
  readonly traffic: Traffic
  readonly windowMs: number
  readonly rowMs: number
}

// By the work in the whole trace.
function leastForRows(
  graph: StageGraph,
  { stage, traffic, windowMs, rowMs }: RowsQuestion,
): number {
  const { arrivalsMs, allowed } = traffic
  const spanMs = (arrivalsMs.at(-1) ?? 0) - (arrivalsMs[0] ?? 0)
  // Draws of paths may come out below their mean: five standard deviations are taken off.
  const mean = arrivalsMs.length * (graph.meanRows[stage] ?? 0)
  const most = graph.mostRows[stage] ?? 1
  const rows = graph.always[stage] === true ? mean : mean - 5 * Math.sqrt(mean * most) * most
  const onTime = Math.max(0, rows - allowed * most)
  return Math.max(1, Math.ceil((onTime * rowMs) / (spanMs + windowMs) - 1e-9))
}

/** The least number that is enough, for what stays enough; one above `most` where none is. Short steps first. */
function leastWhere(
  enough: (count: number) => boolean,
  { low, most }: { readonly low: number; readonly most: number },
): number {
  let [below, high] = [low, low]
  for (let step = 1; high <= most && !enough(high); step *= 2) {
    below = high + 1
    high += step
  }
  high = Math.min(high, most + 1)
  while (below < high) {
    const middle = Math.floor((below + high) / 2)
    if (enough(middle)) high = middle
    else below = middle + 1
  }
  return below
}
