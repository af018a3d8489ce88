import { MillraceError } from '../errors.ts'
import type { PlannedConfiguration } from '../estimator/estimate.ts'
import type { Objective } from '../pipeline/objective.ts'
import type { Plan } from '../planner/plan.ts'
import { formatCost, formatMs, formatShare } from './quantity.ts'
import { formatTable } from './table.ts'

/** What objectives around a given one cost. What `millrace plan --frontier --json` prints. */
export interface Frontier {
  /** Share of the requests within each objective, in percent. */
  readonly percentile: number
  /** From the strictest objective to the loosest; none dearer than the one before it. */
  readonly points: readonly FrontierPoint[]
  /** Objectives that nothing within the limits meets, in milliseconds. */
  readonly infeasibleMs: readonly number[]
}

export interface FrontierPoint {
  /** The objective. */
  readonly latencyMs: number
  readonly costPerHour: number
  /** What the plan's estimate says of the objective's percentile and attainment. */
  readonly p99Ms: number
  readonly attainment: number
  readonly accuracy?: number | undefined
  readonly watts?: number | undefined
  readonly configuration: PlannedConfiguration
}

export interface FrontierSearch {
  readonly objective: Objective
  /** The cheapest plan for an objective; rejects with MILLRACE_INFEASIBLE where there is none. */
  readonly plan: (objective: Objective) => Promise<Plan>
  readonly onProgress: (progress: { readonly done: number; readonly total: number }) => void
}

/** From a quarter of the objective to four times as much, four to each doubling. */
const stepsEachWay = 8
const stepsToDouble = 4

/**
 * Plans for objectives around the given one.
 *
 * @throws {MillraceError} MILLRACE_INFEASIBLE where none of them can be met, and what `plan` rejects with otherwise.
 */
export async function findFrontier({
  objective,
  plan,
  onProgress,
}: FrontierSearch): Promise<Frontier> {
  const points: FrontierPoint[] = []
  const infeasibleMs: number[] = []
  const total = 2 * stepsEachWay + 1
  let last: unknown
  for (let step = 0; step < total; step++) {
    const latencyMs = around(objective.latencyMs, step - stepsEachWay)
    try {
      points.push(pointOf(await plan({ ...objective, latencyMs }), latencyMs))
    } catch (error) {
      if (!isInfeasible(error)) throw error
      infeasibleMs.push(latencyMs)
      last = error
    }
    onProgress({ done: step + 1, total })
  }
  if (points.length === 0) throw last
  return { percentile: objective.percentile, points, infeasibleMs }
}

/** For a person to read: a line wherever another configuration becomes the cheapest. */
export function formatFrontier({ percentile, points, infeasibleMs }: Frontier): string {
  const hasAccuracy = points.some(({ accuracy }) => accuracy !== undefined)
  const heading = [
    'objective',
    'cost',
    'p99',
    'attainment',
    ...(hasAccuracy ? ['accuracy'] : []),
    'configuration',
  ]
  const rows = points
    .filter((point, index) => textOf(point) !== textOf(points[index - 1]))
    .map((point) => [
      formatMs(point.latencyMs),
      formatCost(point.costPerHour),
      formatMs(point.p99Ms),
      formatShare(point.attainment),
      ...(hasAccuracy ? [formatShare(point.accuracy)] : []),
      textOf(point),
    ])
  const title = `Least cost of p${percentile} objectives, where it changes`
  const strictest = infeasibleMs.at(-1)
  const note =
    strictest === undefined
      ? ''
      : `\n\nNothing within the limits meets p${percentile} within ${formatMs(strictest)} or less.`
  return `${title}\n\n${formatTable([heading, ...rows])}${note}`
}

function around(latencyMs: number, step: number): number {
  return Number((latencyMs * 2 ** (step / stepsToDouble)).toPrecision(4))
}

function pointOf({ costPerHour, estimate, configuration }: Plan, latencyMs: number): FrontierPoint {
  const { p99Ms, attainment, accuracy, watts } = estimate
  return { latencyMs, costPerHour, p99Ms, attainment, accuracy, watts, configuration }
}

function textOf(point: FrontierPoint | undefined): string {
  return Object.entries(point?.configuration ?? {})
    .map(([stage, { replicas, tier, maxBatch, model }]) => {
      const which = model === undefined ? tier : `${model} on ${tier}`
      return `${stage} ${replicas} x ${which}, batch ${maxBatch}`
    })
    .join('; ')
}

function isInfeasible(error: unknown): boolean {
  return MillraceError.is(error) && error.code === 'MILLRACE_INFEASIBLE'
}
