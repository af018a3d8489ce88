import type { Stage } from '../pipeline/stage.ts'
import { readTier, type TierPlace } from '../pipeline/tier.ts'
import { kernelFault } from './kernel-fault.ts'
import { type ProviderFault, providerFault } from './provider-fault.ts'

/** Why a stage cannot run on a tier in this process; undefined where it can. Stages of one `needOf` have one answer. */
export function stageFault(stage: Stage, tier: string): Promise<ProviderFault | undefined> {
  const place = readTier(tier) as TierPlace // whoever asks has checked that it is a tier
  if (stage.kind !== 'cuda' || place.provider !== 'cuda') return providerFault(place)
  return kernelFault({ device: place.device, language: stage.language })
}
