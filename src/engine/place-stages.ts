import { faultText } from '../devices/provider-fault.ts'
import { stageFault } from '../devices/stage-fault.ts'
import { needOf } from '../pipeline/choose-tier.ts'
import type { ResolvedStageConfiguration } from '../pipeline/configuration.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Stage } from '../pipeline/stage.ts'
import { isAccelerator } from '../pipeline/tier.ts'

type Resolved = ReadonlyMap<string, ResolvedStageConfiguration>

/**
 * A configuration of which every tier can be used in this process. `resolve` makes it of what cannot (see `needOf`), each
 * with its reason; only accelerators that it names are looked at, and what serves already is taken to work.
 *
 * @throws {MillraceError} what `resolve` throws: MILLRACE_DEVICE_UNAVAILABLE where a stage has nothing to run on.
 */
export async function placeStages(
  resolve: (faults: ReadonlyMap<string, string>) => Resolved,
  { pipeline, serving = new Map() }: { readonly pipeline: Pipeline; readonly serving?: Resolved },
): Promise<Resolved> {
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
  for (;;) {
    const resolved = resolve(faults)
    const asked = needs(resolved).find(({ need }) => !usable.has(need))
    if (asked === undefined) return resolved
    const fault = await stageFault(asked.stage, asked.tier)
    if (fault === undefined) usable.add(asked.need)
    else faults.set(asked.need, faultText(fault))
  }
}

/** A stage on an accelerator, and what that asks of this process. */
interface Need {
  readonly need: string
  readonly stage: Stage
  readonly tier: string
}
