import type { Hardware } from '../profile/hardware.ts'
import type { Profile } from '../profile/profile.ts'
import { Trace } from '../workload/trace.ts'
import type { PlannedConfiguration } from './estimate.ts'
import { Simulator } from './simulator.ts'

/** Which ways requests take is drawn anew so often. */
const draws = 8

/**
 * Milliseconds until all of so many requests that come at once are answered, service times being means, on average over
 * the ways that they may take.
 *
 * @throws {MillraceError} As those of {@link Simulator}.
 */
export async function burstTimeMs(
  profile: Profile,
  {
    hardware,
    configuration,
    requests,
  }: {
    readonly hardware: Hardware
    readonly configuration: PlannedConfiguration
    readonly requests: number
  },
): Promise<number> {
  const trace = new Trace({ arrivalsMs: new Float64Array(requests) })
  let totalMs = 0
  for (let seed = 0; seed < draws; seed++) {
    const simulator = new Simulator({ profile, hardware, trace, seed })
    const [estimate] = await simulator.estimate([configuration], { latencyMs: Number.MAX_VALUE })
    totalMs += estimate?.maxMs ?? Number.NaN
  }
  return totalMs / draws
}
