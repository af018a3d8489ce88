import { faultText } from '../devices/provider-fault.ts'
import { stageFault } from '../devices/stage-fault.ts'
import { needOf, type TierFaults } from '../pipeline/choose-tier.ts'
import type { ResolvedStageConfiguration } from '../pipeline/configuration.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Stage } from '../pipeline/stage.ts'
import { isAccelerator } from '../pipeline/tier.ts'

type Resolved = ReadonlyMap<string, ResolvedStageConfiguration>

/** A stage that runs on another tier than was wanted. */
export interface PlacedFallback {
  readonly stage: string
  /** The tier that was wanted. */
  readonly before: string
  /** The tier in its place. */
  readonly after: string
  readonly reason: string
}

/**
 * A configuration of which every tier can be used in this process, and what of it was wanted otherwise. `resolve` makes it of what cannot (see `needOf`), each
 * with its reason; only accelerators that it names are looked at, and what serves already is taken to work.
 *
 * @throws {MillraceError} what `resolve` throws: MILLRACE_DEVICE_UNAVAILABLE where a stage has nothing to run on.
 */
export async function placeStages(
  resolve: (faults: ReadonlyMap<string, string>) => Resolved,
  { pipeline, serving = new Map() }: { readonly pipeline: Pipeline; readonly serving?: Resolved },
): Promise<{ readonly stages: Resolved; readonly fallbacks: readonly PlacedFallback[] }> {
  const needs = (stages: Resolved): readonly Need[] => {
    return [...stages]
      .filter(([, { tier }]) => isAccelerator(tier))
      .map(([name, { tier }]) => {
        const stage = pipeline.stages[name] as Stage
        return { need: needOf(stage, tier), stage, tier }
      })
  }
  const usable = new Set(needs(serving).map(({ need }) => need))
  const faults = new Map<string, string>()
  let wanted: Resolved | undefined
  for (;;) {
    const stages = resolve(faults)
    wanted ??= stages
    const asked = needs(stages).find(({ need }) => !usable.has(need))
    if (asked === undefined) {
      return { stages, fallbacks: fallbacksOf(pipeline, { wanted, stages, faults }) }
    }
    const fault = await stageFault(asked.stage, asked.tier)
    if (fault === undefined) usable.add(asked.need)
    else faults.set(asked.need, faultText(fault))
  }
}

function fallbacksOf(
  pipeline: Pipeline,
  {
    wanted,
    stages,
    faults,
  }: { readonly wanted: Resolved; readonly stages: Resolved; readonly faults: TierFaults },
): readonly PlacedFallback[] {
  return [...wanted].flatMap(([name, { tier: before }]) => {
    const after = stages.get(name)?.tier ?? before
    if (after === before) return []
    const fault = faults.get(needOf(pipeline.stages[name] as Stage, before))
    const reason = `"${before}" cannot be used here: ${fault}`
    return [{ stage: name, before, after, reason }]
  })
}

/** A stage on an accelerator, and what that asks of this process. */
interface Need {
  readonly need: string
  readonly stage: Stage
  readonly tier: string
}
