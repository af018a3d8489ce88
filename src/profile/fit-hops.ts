import { bisect } from './bisect.ts'
import { round } from './points.ts'
import type { Profile } from './profile.ts'

/** What hops may be multiplied by, at least: a batch is noticed, put together and sent on however busy the engine is. */
const least = 0.25

/**
 * The profile with hops with which the estimator takes no longer for a burst than the engine did. Hops are measured with
 * requests that meet no other: threads rested before, what they read is in no cache, and each row is waited for. Where batch
 * follows batch, less of that is left. All stages alike, down to a quarter, and never more than was measured.
 */
export async function fitHops(
  profile: Profile,
  {
    burstMs,
    estimateMs,
  }: { readonly burstMs: number; readonly estimateMs: (profile: Profile) => Promise<number> },
): Promise<Profile> {
  if ((await estimateMs(profile)) <= burstMs) return profile
  const shortest = withHopsTimes(profile, least)
  if ((await estimateMs(shortest)) >= burstMs) return shortest
  const estimate = (factor: number) => estimateMs(withHopsTimes(profile, factor))
  const factor = await bisect(burstMs, estimate, { lowest: least, highest: 1 })
  return withHopsTimes(profile, factor)
}

function withHopsTimes(profile: Profile, factor: number): Profile {
  const stages = Object.entries(profile.stages).map(([name, stage]) => {
    const { hopMs } = stage
    return [name, hopMs === undefined ? stage : { ...stage, hopMs: round(factor * hopMs) }] as const
  })
  const { overhead } = profile
  return {
    ...profile,
    stages: Object.fromEntries(stages),
    ...(overhead === undefined
      ? {}
      : { overhead: { ...overhead, hopMs: round(factor * overhead.hopMs) } }),
  }
}
