import { loneLatencyMs } from '../estimator/lone-latency.ts'
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
    return [tier, { kind: 'cpu', threads: threadsOf(tier), pricePerHour: 0 }] as const
  })
  const hardware = { version: 1, tiers: Object.fromEntries(tiers) } as const
  return loneLatencyMs(profile, { hardware, configuration })
}

/** Of a tier `cpu-N`. */
function threadsOf(tier: string): number {
  return Number(tier.slice('cpu-'.length))
}
