import type { StageProfile, TierProfile } from './profile.ts'

type Tiers = Readonly<Record<string, TierProfile>>

/** The stage with something changed of each of its tiers, those of all its models where it has several. Pure. */
export function mapTiers(
  stage: StageProfile,
  change: (tier: TierProfile) => TierProfile,
): StageProfile {
  const changed = (tiers: Tiers): Tiers => {
    return Object.fromEntries(Object.entries(tiers).map(([name, tier]) => [name, change(tier)]))
  }
  const { tiers, models } = stage
  const each = Object.entries(models ?? {}).map(([name, model]) => {
    return [name, { ...model, tiers: changed(model.tiers) }] as const
  })
  return {
    ...stage,
    ...(tiers && { tiers: changed(tiers) }),
    ...(models && { models: Object.fromEntries(each) }),
  }
}
