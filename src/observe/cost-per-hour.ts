/** Of a configuration, what the cost hangs on: by stage. */
export type StaffedConfiguration = Readonly<
  Record<
    string,
    {
      /** Kind of hardware slot that each replica takes. */
      readonly tier: string
      /** How many replicas there are. */
      readonly replicas: number
    }
  >
>

/** Of hardware (`profiles/hardware.json`, `Hardware`), what the cost hangs on. */
export interface Prices {
  /** By the name of the tier. */
  readonly tiers: Readonly<
    Record<
      string,
      {
        /** Of one replica, in any currency: prices are only added up. */
        readonly pricePerHour: number
      }
    >
  >
}

/**
 * What the replicas of a configuration cost an hour, in the currency of the prices: each takes a slot of its tier. Never
 * throws.
 *
 * @param configuration Such as `engine.configuration`, or that of a plan.
 * @param prices What a slot of each tier costs.
 * @returns Undefined where a tier that has replicas has no price.
 */
export function costPerHour(
  configuration: StaffedConfiguration,
  { tiers }: Prices,
): number | undefined {
  let sum = 0
  for (const { tier, replicas } of Object.values(configuration)) {
    const price = Object.hasOwn(tiers, tier) ? tiers[tier]?.pricePerHour : undefined
    if (replicas > 0 && price === undefined) return undefined
    sum += replicas * (price ?? 0)
  }
  return sum
}
