import { MillraceError } from '../errors.ts'
import type { Stage } from './stage.ts'
import { defaultTier, isAccelerator, type ProviderName, readTier } from './tier.ts'

/** What cannot be used here, by {@link needOf}, each with its reason and remedy. */
export type TierFaults = ReadonlyMap<string, string>

/** What may run a stage, the most wanted first; undefined where that is for the configuration to say. Pure. */
export function providersOf(stage: Stage): readonly ProviderName[] | undefined {
  if (stage.kind === 'onnx') return stage.providers?.map(({ provider }) => provider)
  if (stage.kind === 'cuda') return stage.fallback === undefined ? ['cuda'] : ['cuda', 'cpu']
  return undefined
}

/** The tiers that a stage takes where a configuration says nothing, the most wanted first. Pure. */
export function tiersOf(stage: Stage): readonly [first: string, ...fallbacks: string[]] {
  const [first = 'cpu-1', ...others] = (providersOf(stage) ?? []).map(defaultTier)
  return [first, ...others]
}

/** The tier of the provider that a stage lists next after that of a tier; undefined where there is none. Pure. */
export function nextTier(stage: Stage, tier: string): string | undefined {
  const listed = providersOf(stage) ?? []
  const at = listed.indexOf(readTier(tier)?.provider ?? 'cpu')
  const next = at < 0 ? undefined : listed[at + 1]
  return next && defaultTier(next)
}

/**
 * What a stage needs of this process to run on a tier: the tier, for a model; a kernel needs the same device, but another
 * library, and one that depends on what it is written in. Pure.
 */
export function needOf(stage: Stage, tier: string): string {
  return stage.kind === 'cuda' && isAccelerator(tier) ? `${tier} ${stage.language}` : tier
}

/**
 * The tier wanted, or where it is faulty, that of the first provider listed after its own which is not. Pure.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION where the stage does not list the provider of the tier,
 * MILLRACE_DEVICE_UNAVAILABLE where it is faulty and all after it are.
 */
export function chooseTier(
  wanted: string,
  { stage, faults, where }: { stage: Stage; faults: TierFaults; where: string },
): string {
  const listed = providersOf(stage)
  const provider = readTier(wanted)?.provider ?? 'cpu'
  const at = listed?.indexOf(provider) ?? 0
  if (listed !== undefined && at < 0) {
    const expected = `expected a tier of the stage's providers (${listed.join(', ')})`
    throw new MillraceError({
      code: 'MILLRACE_INVALID_OPTION',
      message: `${where}: ${expected}, got "${wanted}"; list its provider, or take another tier`,
    })
  }
  const tiers = [wanted, ...(listed?.slice(at + 1).map(defaultTier) ?? [])]
  const usable = tiers.find((tier) => !faults.has(needOf(stage, tier)))
  if (usable !== undefined) return usable
  const problems = tiers.map((tier) => {
    return `"${tier}" cannot be used here: ${faults.get(needOf(stage, tier))}`
  })
  const advice =
    stage.kind === 'cuda'
      ? 'cuda(…, { fallback: a function that does the same })'
      : `onnx(…, { providers: ['${provider}', 'cpu'] })`
  throw new MillraceError({
    code: 'MILLRACE_DEVICE_UNAVAILABLE',
    message: `${where}: ${problems.join('. ')}. Or list a fallback: ${advice}`,
  })
}
