// What serving costs beside service, out of latencies of requests that were sent one at a time.
import { mapTiers } from './map-tiers.ts'
import { mean, median, round } from './points.ts'
import type { Profile, StageProfile, TierProfile } from './profile.ts'
import { serviceTimeMs } from './service-time.ts'

/** Requests through the whole pipeline. */
export interface WholeRuns {
  /** For each request, its latencies when no other was there. */
  readonly latenciesMs: readonly (readonly number[])[]
  /** How long the event loop is busy with one; and with its end alone. */
  readonly loopMs: number
  readonly answerMs: number
  /** How many there were, those to warm up included; each woke the stages it went through. */
  readonly requests: number
  /** By stage, what ran for them. */
  readonly ran: Readonly<Record<string, StageRuns>>
}

export interface StageRuns {
  readonly batches: number
  readonly rows: number
  readonly serviceMs: number
  /** What batches kept their replica for, service included. */
  readonly busyMs: number
}

/** How much faster or slower a machine may have become since its stages were measured. */
const mostDrift = 4 / 3

/**
 * The profile, with the stage that takes longest as long as it took in these runs: so that what is compared with them is
 * measured on the machine as it was then, which may have become faster or slower.
 */
export function asItRan(
  profile: Profile,
  { ran, requests }: Pick<WholeRuns, 'ran' | 'requests'>,
): Profile {
  const [longest] = Object.entries(ran).toSorted(([, a], [, b]) => b.serviceMs - a.serviceMs)
  if (longest === undefined) return profile
  const [name, { batches, rows, serviceMs }] = longest
  const stage = profile.stages[name] as StageProfile
  const scaled = ({ points, wakeMs = 0, ...tier }: TierProfile): TierProfile => {
    const expectedMs =
      batches * serviceTimeMs(points, rows / batches) + Math.min(batches, requests) * wakeMs
    const drift = Math.min(mostDrift, Math.max(1 / mostDrift, serviceMs / expectedMs))
    const drifted = points.map((point) => ({ ...point, meanMs: drift * point.meanMs }))
    return { ...tier, points: drifted, wakeMs: drift * wakeMs }
  }
  return { ...profile, stages: { ...profile.stages, [name]: mapTiers(stage, scaled) } }
}

/**
 * `requestMs` is what makes the mean latency of lone requests what was measured: it is `otherwiseMs` by everything else
 * that the profile says. Of each request the median counts, since some meet something else that runs on the machine. Never
 * below 0.
 */
export function requestTime(
  { latenciesMs }: Pick<WholeRuns, 'latenciesMs'>,
  otherwiseMs: number,
): number {
  return round(Math.max(0, mean(latenciesMs.map(median)) - otherwiseMs))
}

/** With what batches cost beside their service: in each stage that ran, and, for others, the median of those. */
export function withHops(
  profile: Profile,
  { ran, loopMs, answerMs }: Pick<WholeRuns, 'ran' | 'loopMs' | 'answerMs'>,
): Profile {
  const hops = new Map(
    Object.entries(ran).map(([name, { batches, busyMs, serviceMs }]) => {
      return [name, round(Math.max(0, busyMs - serviceMs) / batches)] as const
    }),
  )
  const stages = Object.entries(profile.stages).map(([name, stage]) => {
    const hopMs = hops.get(name)
    return [name, hopMs === undefined ? stage : { ...stage, hopMs }] as const
  })
  const hopMs = median([...hops.values()])
  const overhead = { requestMs: 0, hopMs, loopMs: round(loopMs), answerMs: round(answerMs) }
  return { ...profile, stages: Object.fromEntries(stages), overhead }
}
