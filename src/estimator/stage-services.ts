import { checkInteger, checkNumber, checkObject, checkRecord, describe, suggest } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { NativeService } from '../native/simulator.ts'
import type { Hardware, Tier } from '../profile/hardware.ts'
import type { Profile, StageProfile, TierProfile } from '../profile/profile.ts'
import type { PlannedConfiguration, PlannedStage } from './estimate.ts'
import { spreadOf } from './spread.ts'

/** A stage as it is run, with what of it the estimate speaks. */
export interface StageService {
  /** The same object for the same tier, model, batch and delay. */
  readonly native: NativeService
  readonly tier: Tier
  readonly replicas: number
  /** Of the model chosen; undefined where there is none to choose. */
  readonly accuracy: number | undefined
}

type Resolved = Omit<StageService, 'replicas'>

const keys = ['tier', 'maxBatch', 'replicas', 'model', 'maxDelayMs'] as const
const longestDelayMs = 60_000

/** Makes the services of configurations; each kind only once, however many configurations have it. */
export class StageServices {
  readonly #profile: Profile
  readonly #hardware: Hardware
  readonly #stages: readonly string[]
  readonly #known = new Map<string, Resolved>()

  /** Services come in the order of `stages`. */
  constructor(options: {
    readonly profile: Profile
    readonly hardware: Hardware
    readonly stages: readonly string[]
  }) {
    this.#profile = options.profile
    this.#hardware = options.hardware
    this.#stages = options.stages
  }

  /**
   * One service a stage; with its spread where times are `drawn`.
   *
   * @throws {MillraceError} MILLRACE_INVALID_OPTION for an unknown or missing stage, a tier that was not profiled or has
   * no price, an unknown model, a batch beyond what was profiled; MILLRACE_INVALID_FILE for a profile without batch 1.
   */
  of(
    configuration: PlannedConfiguration,
    { drawn }: { readonly drawn: boolean },
  ): readonly StageService[] {
    const given = checkRecord(configuration, { name: 'configuration' })
    const unknown = Object.keys(given).find((name) => !this.#stages.includes(name))
    if (unknown !== undefined) {
      const problem = `configuration: the profile of "${this.#profile.pipeline}" has no stage "${unknown}"`
      throw invalid(`${problem}; ${suggest(unknown, this.#stages)}`)
    }
    return this.#stages.map((stage) => {
      if (!Object.hasOwn(given, stage)) {
        const expected = 'expected an entry for each stage of the profile'
        throw invalid(`configuration: ${expected}, got none for "${stage}"; add it`)
      }
      return this.stage(stage, { planned: given[stage], drawn })
    })
  }

  /** The service of one stage. */
  stage(
    stage: string,
    { planned, drawn }: { readonly planned: unknown; readonly drawn: boolean },
  ): StageService {
    const where = `configuration.${stage}`
    const given = checkObject(planned, { name: where, keys })
    const { tier, maxBatch, model, maxDelayMs } = given
    const replicas = checkInteger(given.replicas, { name: `${where}.replicas`, min: 1 })
    const key = JSON.stringify([stage, tier, maxBatch, model, maxDelayMs, drawn])
    let resolved = this.#known.get(key)
    if (resolved === undefined) {
      resolved = this.#resolve(given, { stage, where, drawn })
      this.#known.set(key, resolved)
    }
    return { ...resolved, replicas }
  }

  #resolve(
    given: Readonly<Partial<Record<keyof PlannedStage, unknown>>>,
    { stage, where, drawn }: { stage: string; where: string; drawn: boolean },
  ): Resolved {
    const profile = this.#profile.stages[stage] as StageProfile // one of the profile's own names
    const { tiers, accuracy } = tiersOf(profile, { model: given.model, where })
    const [name, { points, wakeMs = 0 }] = profiledTier(given.tier, { tiers, where })
    const tier = pricedTier(name, { hardware: this.#hardware, where })
    const at = `stage "${stage}", tier "${name}"`
    const maxBatch = checkInteger(given.maxBatch, {
      name: `${where}.maxBatch`,
      min: 1,
      max: largestBatch(points, at),
      fix: `no larger batch was profiled on "${name}"`,
    })

    return {
      tier,
      accuracy,
      native: {
        latency: points.flatMap(({ batch, meanMs }) => [batch, meanMs]),
        spread: drawn ? spreadOf(points, maxBatch) : [],
        hopMs: hopOf(this.#profile, profile.hopMs),
        wakeMs: checkNumber(wakeMs, {
          name: `${at}, wakeMs`,
          min: 0,
          code: 'MILLRACE_INVALID_FILE',
        }),
        ...shareOf(profile, { name, tier, sharing: this.#profile.sharing }),
        maxBatch,
        maxDelayMs: checkNumber(given.maxDelayMs ?? 0, {
          name: `${where}.maxDelayMs`,
          min: 0,
          max: longestDelayMs,
        }),
      },
    }
  }
}

function tiersOf(
  { tiers, models }: StageProfile,
  { model, where }: { model: unknown; where: string },
): {
  readonly tiers: Readonly<Record<string, TierProfile>>
  readonly accuracy: number | undefined
} {
  if (models === undefined) {
    if (model === undefined) return { tiers: tiers ?? {}, accuracy: undefined }
    throw invalid(`${where}.model: the stage has no models to choose from; leave it out`)
  }
  if (typeof model === 'string' && Object.hasOwn(models, model)) {
    const chosen = models[model]
    return { tiers: chosen?.tiers ?? {}, accuracy: chosen?.accuracy }
  }
  const advice = suggest(typeof model === 'string' ? model : '', Object.keys(models))
  throw invalid(
    `${where}.model: expected one of the stage's models, got ${describe(model)}; ${advice}`,
  )
}

function profiledTier(
  tier: unknown,
  { tiers, where }: { tiers: Readonly<Record<string, TierProfile>>; where: string },
): readonly [name: string, profile: TierProfile] {
  const found = typeof tier === 'string' && Object.hasOwn(tiers, tier) ? tiers[tier] : undefined
  if (found !== undefined) return [tier as string, found]
  const expected = 'expected a tier that the stage was profiled on'
  const advice = suggest(typeof tier === 'string' ? tier : '', Object.keys(tiers))
  throw invalid(`${where}.tier: ${expected}, got ${describe(tier)}; ${advice}`)
}

function pricedTier(
  name: string,
  { hardware, where }: { hardware: Hardware; where: string },
): Tier {
  const tier = Object.hasOwn(hardware.tiers, name) ? hardware.tiers[name] : undefined
  if (tier !== undefined && Number.isFinite(tier.pricePerHour) && tier.pricePerHour >= 0) {
    return tier
  }
  const problem = `${where}.tier: "${name}" has no price in the hardware`
  throw invalid(`${problem}; add it there, or take ${list(Object.keys(hardware.tiers))}`)
}

function list(names: readonly string[]): string {
  return names.length === 0
    ? 'another hardware file'
    : `one of ${names.map((name) => `"${name}"`).join(', ')}`
}

function largestBatch(points: TierProfile['points'], where: string): number {
  if (points[0]?.batch !== 1) {
    const problem = `${where}: expected a first point of batch 1, got ${describe(points[0]?.batch)}`
    throw new MillraceError({
      code: 'MILLRACE_INVALID_FILE',
      message: `${problem}; have it measured as well`,
    })
  }
  return points.at(-1)?.batch ?? 1
}

function hopOf({ overhead }: Profile, ownMs: number | undefined): number {
  const name = ownMs === undefined ? 'overhead.hopMs' : 'hopMs'
  const hopMs = ownMs ?? overhead?.hopMs ?? 0
  return checkNumber(hopMs, { name, min: 0, code: 'MILLRACE_INVALID_FILE' })
}

// A batch of an inline stage waits for others, one on an accelerator for that: neither keeps a core busy. The latter has
// its device to itself unless it was measured how replicas share it.
function shareOf(
  { kind }: StageProfile,
  { name, tier, sharing = {} }: { name: string; tier: Tier; sharing: Profile['sharing'] },
): Pick<NativeService, 'threads' | 'device'> {
  if (kind === 'inline') return { threads: 0, device: 0 }
  if (tier.kind === 'cpu') return { threads: tier.threads ?? 1, device: 0 }
  const device = 1 + Object.keys(sharing).indexOf(name)
  return { threads: device > 0 ? 1 : 0, device }
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
