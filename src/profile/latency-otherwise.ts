import { loneLatencyMs } from '../estimator/lone-latency.ts'
import { readTier } from '../pipeline/tier.ts'
import type { Profile } from './profile.ts'

interface Planned {
  readonly tier: string
  readonly maxBatch: number
  readonly replicas: number
  readonly model?: string
}

/** What the estimator makes of requests that meet no other, milliseconds on average: see its `loneLatencyMs`. */
export function latencyOtherwise(
  profile: Profile,
  configuration: Readonly<Record<string, Planned>>,
): Promise<number> {
  const tiers = Object.values(configuration).map(({ tier }) => {
    const { provider: kind, threads } = readTier(tier) ?? { provider: 'cpu', threads: 1 }
    return [tier, { kind, threads, pricePerHour: 0 }] as const
  })
  const hardware = { version: 1, tiers: Object.fromEntries(tiers) } as const
  return loneLatencyMs(profile, { hardware, configuration })
}
