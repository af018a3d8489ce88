import { faultText, providerFault } from '../devices/provider-fault.ts'
import type { ResolvedStageConfiguration } from '../pipeline/configuration.ts'
import { isAccelerator, readTier, type TierPlace } from '../pipeline/tier.ts'

type Resolved = ReadonlyMap<string, ResolvedStageConfiguration>

/**
 * A configuration of which every tier can be used in this process. `resolve` makes it of the tiers that cannot, by name,
 * each with its reason; only accelerators that it names are looked at, and those of `known` are taken to work.
 *
 * @throws {MillraceError} what `resolve` throws: MILLRACE_DEVICE_UNAVAILABLE where a stage has nothing to run on.
 */
export async function placeStages(
  resolve: (faults: ReadonlyMap<string, string>) => Resolved,
  known: Iterable<string> = [],
): Promise<Resolved> {
  const usable = new Set(known)
  const faults = new Map<string, string>()
  for (;;) {
    const resolved = resolve(faults)
    const asked = [...resolved.values()].map(({ tier }) => tier)
    const tier = asked.find((one) => isAccelerator(one) && !usable.has(one))
    if (tier === undefined) return resolved
    const fault = await providerFault(readTier(tier) as TierPlace) // resolved: it is a tier
    if (fault === undefined) usable.add(tier)
    else faults.set(tier, faultText(fault))
  }
}
