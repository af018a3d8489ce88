import { loadAddon } from '../native/load.ts'
import type { Hardware } from '../profile/hardware.ts'
import type { Profile } from '../profile/profile.ts'
import type { PlannedConfiguration } from './estimate.ts'
import { describePipeline } from './simulated-pipeline.ts'
import { StageServices } from './stage-services.ts'

/**
 * The mean latency, in milliseconds, of requests each of which meets no other, over the paths of a profile.
 *
 * @throws {MillraceError} As {@link StageServices.of} and {@link describePipeline} do.
 */
export async function loneLatencyMs(
  profile: Profile,
  {
    hardware,
    configuration,
  }: { readonly hardware: Hardware; readonly configuration: PlannedConfiguration },
): Promise<number> {
  const { stages, spec } = describePipeline(profile)
  const services = new StageServices({ profile, hardware, stages }).of(configuration, {
    drawn: false,
  })
  let total = 0
  let weighed = 0
  for (const [at, { share }] of spec.paths.entries()) {
    if (!(share > 0)) continue // of items
    const paths = spec.paths.map((path, other) => ({ ...path, share: other === at ? 1 : 0 }))
    const simulator = loadAddon().createSimulator({
      ...spec,
      paths,
      arrivalsMs: Float64Array.of(0),
      numbers: new Uint32Array(),
      seed: 0,
    })
    const pairs = services.flatMap(({ native, replicas }) => [
      simulator.addService(native),
      replicas,
    ])
    const run = simulator.start({ configuration: Float64Array.from(pairs), drawn: false })
    run.advance(Number.POSITIVE_INFINITY)
    weighed += share
    total += share * run.report(Number.MAX_VALUE).maxMs
  }
  return total / weighed
}
