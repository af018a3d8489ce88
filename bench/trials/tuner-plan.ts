/** A plan for a tuner of one stage, by hand: where nothing is to be planned, only to be tuned. */
import type { Plan } from '../../dist/index.js'

export type TunerPlanOptions = {
  stage: string
  maxBatch: number
  /** Rows a second of one replica. */
  replicaRatePerS: number
  /** What was planned for, by one replica. */
  ratePerS: number
  /** The shortest window; others are twice as long each, up to a minute. */
  firstWindowMs: number
}

export function tunerPlan({ stage, maxBatch, replicaRatePerS, ...options }: TunerPlanOptions) {
  const { ratePerS, firstWindowMs } = options
  const windowsMs = [firstWindowMs]
  while ((windowsMs.at(-1) ?? 0) < 30_000) windowsMs.push(2 * (windowsMs.at(-1) ?? 0))
  const plan: Pick<Plan, 'version' | 'configuration' | 'tuning'> = {
    version: 1,
    configuration: { [stage]: { tier: 'cpu-1', maxBatch, replicas: 1 } },
    tuning: {
      envelope: [...windowsMs, 60_000].map((windowMs) => {
        const mean = (windowMs / 1000) * ratePerS
        return { windowMs, arrivals: Math.ceil(mean + 3 * Math.sqrt(mean)) }
      }),
      stages: { [stage]: { replicaRatePerS, scaleFactor: 1, load: ratePerS / replicaRatePerS } },
    },
  }
  // A tuner reads nothing else.
  return plan as Plan
}
