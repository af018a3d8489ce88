import type { NativeSimulationReport } from '../native/simulator.ts'
import type { Estimate } from './estimate.ts'
import type { StageService } from './stage-services.ts'

/** What a run to the end of the trace says of a configuration; stages in one order in all three. */
export function summarize(
  report: NativeSimulationReport,
  {
    stages,
    services,
  }: { readonly stages: readonly string[]; readonly services: readonly StageService[] },
): Estimate {
  const { arrived, late, p50Ms, p95Ms, p99Ms, maxMs } = report
  const named = stages.map((name, at) => {
    const { utilization = 0, visits = 0, batches = 0, queueP99Ms = 0 } = report.stages[at] ?? {}
    const meanBatch = batches === 0 ? 0 : visits / batches
    return [name, { utilization, meanBatch, queueP99Ms, visits }] as const
  })
  const watts = wattsOf(report, services)
  const accuracy = accuracyOf(services)
  return {
    requests: arrived,
    p50Ms,
    p95Ms,
    p99Ms,
    maxMs,
    attainment: arrived === 0 ? 1 : (arrived - late) / arrived,
    costPerHour: costPerHour(services),
    stages: Object.fromEntries(named),
    ...(watts === undefined ? {} : { watts }),
    ...(accuracy === undefined ? {} : { accuracy }),
  }
}

/** The price of all replicas. */
export function costPerHour(services: readonly StageService[]): number {
  return services.reduce((sum, { replicas, tier }) => sum + replicas * tier.pricePerHour, 0)
}

function wattsOf(
  report: NativeSimulationReport,
  services: readonly StageService[],
): number | undefined {
  let watts = 0
  for (const [at, { replicas, tier }] of services.entries()) {
    const { idleWatts, busyWatts } = tier
    if (idleWatts === undefined || busyWatts === undefined) return undefined
    const utilization = report.stages[at]?.utilization ?? 0
    watts += replicas * (idleWatts + utilization * (busyWatts - idleWatts))
  }
  return watts
}

function accuracyOf(services: readonly StageService[]): number | undefined {
  const known = services.flatMap(({ accuracy }) => (accuracy === undefined ? [] : [accuracy]))
  return known.length === 0 ? undefined : known.reduce((product, accuracy) => product * accuracy, 1)
}
