/** Of a configuration, what the cost hangs on. */
export type StaffedConfiguration = Readonly<
  Record<string, { readonly tier: string; readonly replicas: number }>
>

/** Of hardware (`profiles/hardware.json`, `Hardware`), what the cost hangs on. */
export interface Prices {
  readonly tiers: Readonly<Record<string, { readonly pricePerHour: number }>>
}

/**
 * What the replicas of a configuration cost an hour, in the currency of the prices: each takes a slot of its tier.
 *
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
