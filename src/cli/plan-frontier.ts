import type { Plan } from '../planner/plan.ts'
import { formatCost, formatMs, formatNumber, formatShare } from './quantity.ts'
import { formatTable } from './table.ts'

/** From a quarter of the objective to four times as much, four to each doubling. */
const stepsEachWay = 8
const stepsToDouble = 4

/** The objectives, in milliseconds, that are looked at around a given one, which is one of them. */
export function latenciesAround(latencyMs: number): readonly number[] {
  return Array.from({ length: 2 * stepsEachWay + 1 }, (_, index) =>
    Number((latencyMs * 2 ** ((index - stepsEachWay) / stepsToDouble)).toPrecision(4)),
  )
}

/** For a person to read: a line for each plan of a front. */
export function formatFrontier(
  plans: readonly Plan[],
  { latenciesMs }: { readonly latenciesMs: readonly number[] },
): string {
  const hasAccuracy = plans.some(({ estimate }) => estimate.accuracy !== undefined)
  const hasWatts = plans.some(({ estimate }) => estimate.watts !== undefined)
  const heading = [
    'objective',
    'cost',
    'p99',
    'attainment',
    ...(hasAccuracy ? ['accuracy'] : []),
    ...(hasWatts ? ['power'] : []),
    'configuration',
  ]
  const rows = plans.map((plan) => [
    formatMs(plan.objective.latencyMs),
    formatCost(plan.costPerHour),
    formatMs(plan.estimate.p99Ms),
    formatShare(plan.estimate.attainment),
    ...(hasAccuracy ? [formatShare(plan.estimate.accuracy)] : []),
    ...(hasWatts ? [`${formatNumber(plan.estimate.watts)} W`] : []),
    describeConfiguration(plan),
  ])
  return [title(plans, latenciesMs), formatTable([heading, ...rows])].join('\n\n')
}

function title([first]: readonly Plan[], latenciesMs: readonly number[]): string {
  const from = formatMs(latenciesMs[0])
  const to = formatMs(latenciesMs.at(-1))
  const objectives = `p${first?.objective.percentile} objectives from ${from} to ${to}`
  return `${first?.pipeline}: ${objectives}; a plan wherever it is better in something than all others`
}

function describeConfiguration({ configuration }: Plan): string {
  return Object.entries(configuration)
    .map(([stage, { replicas, tier, maxBatch, model }]) => {
      const which = model === undefined ? tier : `${model} on ${tier}`
      return `${stage} ${replicas} x ${which}, batch ${maxBatch}`
    })
    .join('; ')
}
