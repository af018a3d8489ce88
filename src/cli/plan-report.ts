import type { Plan, PlanSearch } from '../planner/plan.ts'
import type { Hardware } from '../profile/hardware.ts'
import { estimatePairs } from './estimate-report.ts'
import { formatCost, formatCount } from './quantity.ts'
import { formatPairs, formatTable } from './table.ts'

/** For a person to read: what to run, what it costs, what to expect, why, and what else was looked at. */
export function formatPlan(plan: Plan, { hardware }: { readonly hardware: Hardware }): string {
  const { percentile, latencyMs } = plan.objective
  const title = `${plan.pipeline}: p${percentile} within ${latencyMs} ms, strategy ${plan.strategy}`
  const predicted = formatPairs(estimatePairs(plan.estimate, { latencyMs }))
  const why = formatPairs(
    Object.entries(plan.reasons).map(([stage, reason]) => [`  ${stage}`, reason]),
  )
  const searched = describeSearch(plan.search)
  return [title, formatConfiguration(plan, hardware), predicted, `Why:\n${why}`, searched].join(
    '\n\n',
  )
}

function formatConfiguration({ configuration }: Plan, hardware: Hardware): string {
  const planned = Object.entries(configuration)
  const hasModels = planned.some(([, { model }]) => model !== undefined)
  const heading = [
    'stage',
    ...(hasModels ? ['model'] : []),
    'tier',
    'max batch',
    'replicas',
    'cost',
  ]
  const rows = planned.map(([name, { model = '', tier, maxBatch, replicas }]) => [
    name,
    ...(hasModels ? [model] : []),
    tier,
    String(maxBatch),
    String(replicas),
    formatCost(replicas * (hardware.tiers[tier]?.pricePerHour ?? Number.NaN)),
  ])
  return formatTable([heading, ...rows])
}

/** What the names of the bounds mean, as far as this copy knows them. */
const bounds: Readonly<Record<string, string>> = {
  dearer: 'cost no less than a plan that was found',
  limits: 'are beyond the limits',
  load: 'cannot keep up with the load',
  batching: 'take too long even without any waiting',
  alone: 'have a stage that is too late even alone',
  together: 'are too late even with the most replicas of their group',
  simulated: 'were simulated and are too late',
}

function describeSearch({ candidates, ruledOut, simulated }: PlanSearch): string {
  const rows = Object.entries(ruledOut)
    .filter(([, count]) => count > 0)
    .map(([bound, count]) => `  ${formatCount(count)} ${bounds[bound] ?? `(${bound})`}`)
  const others = Object.values(ruledOut).reduce((sum, count) => sum + count, 0)
  // Found one after the other, each cheaper than the one before.
  const met = candidates - others
  if (met > 0) rows.push(`  ${formatCount(met)} ${met === 1 ? 'meets' : 'meet'} the objective`)
  const searched = `Searched: ${formatCount(candidates)} configurations, ${formatCount(simulated)} simulations.`
  return others === 0 ? searched : `${searched} Of the configurations\n${rows.join('\n')}`
}
