import type { LivePlan, LivePlannedStage } from './live-snapshot.ts'
import type { LivePlanSource } from './live-source.ts'

/** What was predicted, in the form of a snapshot. Pure. */
export function livePlan({ configuration, estimate, ...plan }: LivePlanSource): LivePlan {
  const stages = Object.entries(configuration).map(([name, { tier, maxBatch, replicas }]) => {
    const { utilization, meanBatch, queueP99Ms } = estimate?.stages[name] ?? {}
    const reason = plan.reasons?.[name]
    const planned = { tier, maxBatch, replicas, utilization, meanBatch, queueP99Ms, reason }
    return [name, planned satisfies LivePlannedStage] as const
  })
  return {
    strategy: plan.strategy,
    costPerHour: plan.costPerHour,
    p50Ms: estimate?.p50Ms,
    p95Ms: estimate?.p95Ms,
    p99Ms: estimate?.p99Ms,
    attainment: estimate?.attainment,
    stages: Object.fromEntries(stages),
  }
}
