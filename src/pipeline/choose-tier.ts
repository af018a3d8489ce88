import { MillraceError } from '../errors.ts'
import type { Stage } from './stage.ts'
import { defaultTier, readTier } from './tier.ts'

/** Tiers that cannot be used, by name, each with its reason and remedy. */
export type TierFaults = ReadonlyMap<string, string>

/** The tiers that a stage takes where a configuration says nothing, the most wanted first. Pure. */
export function tiersOf(stage: Stage): readonly [first: string, ...fallbacks: string[]] {
  const providers = stage.kind === 'onnx' ? (stage.providers ?? []) : []
  const [first = 'cpu-1', ...others] = providers.map(({ provider }) => defaultTier(provider))
  return [first, ...others]
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
  const listed =
    stage.kind === 'onnx' ? stage.providers?.map(({ provider }) => provider) : undefined
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
  const usable = tiers.find((tier) => !faults.has(tier))
  if (usable !== undefined) return usable
  const problems = tiers.map((tier) => `"${tier}" cannot be used here: ${faults.get(tier)}`)
  throw new MillraceError({
    code: 'MILLRACE_DEVICE_UNAVAILABLE',
    message: `${where}: ${problems.join('. ')}. Or list a fallback: onnx(…, { providers: ['${provider}', 'cpu'] })`,
  })
}
