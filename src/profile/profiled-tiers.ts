// Which stages are measured on which tiers, and which of them shows how replicas share a tier. Pure.

import { providersOf } from '../pipeline/choose-tier.ts'
import type { ModelVariant } from '../pipeline/model-variants.ts'
import { isFunctionStage, type Stage } from '../pipeline/stage.ts'
import { readTier } from '../pipeline/tier.ts'
import type { StageProfile } from './profile.ts'

/** The only tier of functions, and the one that contention is measured on. */
export const oneThread = 'cpu-1'
/** Contention is looked at with batches of at most so long, unless even one row takes longer. */
const longestBusyMs = 100

/** The models that a stage lists; none where it has one. */
export function variantsOf(stage: Stage): readonly ModelVariant[] {
  return stage.kind === 'onnx' ? (stage.models ?? []) : []
}

/** The tiers that a stage is measured on: those of the providers that it lists. */
export function tiersOf(stage: Stage, tiers: readonly string[]): readonly string[] {
  if (isFunctionStage(stage) && stage.kind !== 'cuda') return [oneThread]
  const listed = providersOf(stage)
  return tiers.filter((tier) => listed?.includes(readTier(tier)?.provider ?? 'cpu') ?? true)
}

/**
 * Of the stages measured on one of the tiers meant, the one whose batches take longest there, and the batch to look at.
 * Models before functions.
 */
export function heaviestOf(
  stages: Readonly<Record<string, StageProfile>>,
  isMeant: (tier: string) => boolean,
): { name: string; batch: number; serviceMs: number } | undefined {
  const found = Object.entries(stages).flatMap(([name, { kind = 'onnx', models, tiers }]) => {
    const measured = tiers ?? Object.values(models ?? {})[0]?.tiers
    const points = Object.entries(measured ?? {}).find(([tier]) => isMeant(tier))?.[1].points ?? []
    const point = points.findLast(({ meanMs }) => meanMs <= longestBusyMs) ?? points[0]
    if (kind === 'inline' || point === undefined) return []
    return [{ name, kind, batch: point.batch, serviceMs: point.meanMs }]
  })
  const models = found.filter(({ kind }) => kind === 'onnx')
  const candidates = models.length > 0 ? models : found
  return candidates.toSorted((a, b) => b.serviceMs - a.serviceMs)[0]
}
