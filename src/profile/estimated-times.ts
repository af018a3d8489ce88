import { burstTimeMs } from '../estimator/burst-time.ts'
import { loneLatencyMs } from '../estimator/lone-latency.ts'
import { readTier } from '../pipeline/tier.ts'
import type { Hardware } from './hardware.ts'
import type { Profile } from './profile.ts'

interface Planned {
  readonly tier: string
  readonly maxBatch: number
  readonly replicas: number
  readonly model?: string
}

/** What the estimator makes of a profile that is not finished, for one configuration. */
export class EstimatedTimes {
  readonly #configuration: Readonly<Record<string, Planned>>
  readonly #hardware: Hardware

  constructor(configuration: Readonly<Record<string, Planned>>) {
    this.#configuration = configuration
    const tiers = Object.values(configuration).map(({ tier }) => {
      const { provider: kind, threads } = readTier(tier) ?? { provider: 'cpu', threads: 1 }
      return [tier, { kind, threads, pricePerHour: 0 }] as const
    })
    this.#hardware = { version: 1, tiers: Object.fromEntries(tiers) }
  }

  /** Of requests that meet no other, on average: see the estimator's `loneLatencyMs`. */
  loneMs(profile: Profile): Promise<number> {
    const [configuration, hardware] = [this.#configuration, this.#hardware]
    return loneLatencyMs(profile, { hardware, configuration })
  }

  /** Until requests that come at once are answered: see the estimator's `burstTimeMs`. */
  burstMs(profile: Profile, requests: number): Promise<number> {
    const [configuration, hardware] = [this.#configuration, this.#hardware]
    return burstTimeMs(profile, { hardware, configuration, requests })
  }
}
