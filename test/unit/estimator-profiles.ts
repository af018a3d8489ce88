// Profiles, hardware and traces that tests of the estimator can be worked out by hand from.
import type { PlannedConfiguration } from '../../src/estimator/estimate.ts'
import type { Hardware } from '../../src/profile/hardware.ts'
import type { Profile, StageProfile, TierProfile } from '../../src/profile/profile.ts'
import { Trace } from '../../src/workload/trace.ts'

/** Mean service time by batch size; the p99 is the mean. */
export function tier(meanMs: Readonly<Record<number, number>>): TierProfile {
  const points = Object.entries(meanMs).map(([batch, ms]) => {
    return { batch: Number(batch), meanMs: ms, p99Ms: ms }
  })
  return { points }
}

/** On `cpu-1` alone. */
export function stage(
  meanMs: Readonly<Record<number, number>>,
  more: Partial<StageProfile> = {},
): StageProfile {
  return { scaleFactor: 1, tiers: { 'cpu-1': tier(meanMs) }, ...more }
}

export function profileOf(
  stages: Readonly<Record<string, StageProfile>>,
  more: Partial<Profile> = {},
): Profile {
  return { version: 1, pipeline: 'test', stages, edges: [], ...more }
}

export const hardware: Hardware = {
  version: 1,
  tiers: {
    'cpu-1': { kind: 'cpu', pricePerHour: 0.5, idleWatts: 2, busyWatts: 10 },
    'cpu-4': { kind: 'cpu', threads: 4, pricePerHour: 2 },
    k80: { kind: 'cuda', pricePerHour: 3, idleWatts: 30, busyWatts: 150 },
  },
}

export function traceOf(...arrivalsMs: readonly number[]): Trace {
  return new Trace({ arrivalsMs })
}

/** So many arrivals, one each `everyMs`. */
export function steadyTrace(requests: number, everyMs: number): Trace {
  return new Trace({ arrivalsMs: Float64Array.from({ length: requests }, (_, at) => at * everyMs) })
}

/** One replica on `cpu-1`, batches of one, unless said otherwise. */
export function configurationOf(
  stages: Readonly<Record<string, Partial<PlannedConfiguration[string]>>>,
): PlannedConfiguration {
  const entries = Object.entries(stages).map(([name, more]) => {
    return [name, { tier: 'cpu-1', maxBatch: 1, replicas: 1, ...more }] as const
  })
  return Object.fromEntries(entries)
}
