// Plans small enough to work out by hand what a tuner does with them.
import type { Plan } from '../../src/planner/plan.ts'

export interface PlannedByHand {
  readonly envelope?: Plan['tuning']['envelope']
  readonly stages?: Readonly<
    Record<string, Plan['tuning']['stages'][string] & { readonly replicas: number }>
  >
}

/**
 * 100 requests a second. Stage `a` takes all of them, at most 100/s a replica, with 2 replicas that are half full; `b` half of
 * them, at most 20/s, with 5 replicas, half full, too.
 */
export const twoStages = {
  a: { replicaRatePerS: 100, scaleFactor: 1, load: 0.5, replicas: 2 },
  b: { replicaRatePerS: 20, scaleFactor: 0.5, load: 0.5, replicas: 5 },
}

export function planOf({ envelope, stages = twoStages }: PlannedByHand = {}): Plan {
  const entries = Object.entries(stages)
  const plan: Pick<Plan, 'version' | 'configuration' | 'tuning'> = {
    version: 1,
    configuration: Object.fromEntries(
      entries.map(([name, { replicas }]) => [name, { tier: 'cpu-1', maxBatch: 4, replicas }]),
    ),
    tuning: {
      envelope: envelope ?? [
        { windowMs: 100, arrivals: 20 },
        { windowMs: 1000, arrivals: 125 },
        { windowMs: 10_000, arrivals: 1080 },
      ],
      stages: Object.fromEntries(
        entries.map(([name, { replicas: _, ...stage }]) => [name, stage] as const),
      ),
    },
  }
  // A tuner reads nothing else.
  return plan as Plan
}
