// Questions for the planner, small enough to try every configuration, and all answers to them.
import type { PlannedConfiguration, PlannedStage } from '../../src/estimator/estimate.ts'
import { Simulator } from '../../src/estimator/simulator.ts'
import { allowedLate } from '../../src/planner/judge.ts'
import type { Hardware } from '../../src/profile/hardware.ts'
import type { Profile, StageProfile } from '../../src/profile/profile.ts'
import { Trace } from '../../src/workload/trace.ts'
import { profileOf, tier } from './estimator-profiles.ts'

/** Two tiers, the dearer of which is faster. */
export const twoTiers: Hardware = {
  version: 1,
  tiers: {
    'cpu-1': { kind: 'cpu', pricePerHour: 1, idleWatts: 2, busyWatts: 10 },
    k80: { kind: 'cuda', pricePerHour: 2.6, idleWatts: 30, busyWatts: 150 },
  },
}

export interface SmallQuestion {
  readonly profile: Profile
  readonly trace: Trace
  readonly latencyMs: number
  readonly percentile: number
}

export const smallReplicas = 3
const batches = [1, 2, 4]

/** Two or three stages one after the other, bursty arrivals; in every other question a stage that not all requests visit. */
export function smallQuestion(seed: number): SmallQuestion {
  const next = numbers(seed)
  const names = ['a', 'b', 'c'].slice(0, seed % 3 === 0 ? 3 : 2)
  const stages = names.map((name, at): [string, StageProfile] => {
    const rowMs = 4 + 8 * next()
    const part = 0.25 + 0.6 * next()
    const cpu = timesOf(rowMs, part)
    const gpu = timesOf(rowMs / (2 + 2 * next()), part / 2)
    const scaleFactor = at === 1 && seed % 2 === 1 ? 0.3 + 0.5 * next() : 1
    return [name, { scaleFactor, tiers: { 'cpu-1': tier(cpu), k80: tier(gpu) } }]
  })
  const edges = names.slice(1).map((name, at) => [names[at] as string, name] as const)
  const ratePerS = 100 + 150 * next()
  const arrivals = 300 + Math.floor(400 * next())
  return {
    profile: profileOf(Object.fromEntries(stages), { edges }),
    trace: Trace.gamma({
      ratePerS,
      durationMs: (1000 * arrivals) / ratePerS,
      cv2: 0.5 + 3 * next(),
      seed,
    }),
    latencyMs: Math.round(15 + 45 * next()),
    percentile: seed % 4 === 0 ? 95 : 99,
  }
}

/** The least cost of all configurations that meet the objective, each of them simulated; infinite where none does. */
export async function leastCostOfAll(question: SmallQuestion): Promise<number> {
  const { profile, trace, latencyMs, percentile } = question
  const all = everyConfiguration(Object.keys(profile.stages))
  const allowed = allowedLate(trace.arrivalsMs.length, percentile)
  const simulator = new Simulator({ profile, hardware: twoTiers, trace })
  const late = await simulator.countLate(all, { latencyMs, enough: allowed })
  const costs = all.filter((_, index) => (late[index] as number) <= allowed).map(costOf)
  return Math.min(...costs)
}

export function costOf(configuration: PlannedConfiguration): number {
  return Object.values(configuration).reduce(
    (sum, { tier, replicas }) => sum + (twoTiers.tiers[tier]?.pricePerHour ?? 0) * replicas,
    0,
  )
}

function everyConfiguration(names: readonly string[]): readonly PlannedConfiguration[] {
  const choices: PlannedStage[] = []
  for (const tier of Object.keys(twoTiers.tiers)) {
    for (const maxBatch of batches) {
      for (let replicas = 1; replicas <= smallReplicas; replicas++) {
        choices.push({ tier, maxBatch, replicas })
      }
    }
  }
  let begun: PlannedConfiguration[] = [{}]
  for (const name of names) {
    begun = begun.flatMap((each) => choices.map((choice) => ({ ...each, [name]: choice })))
  }
  return begun
}

function timesOf(rowMs: number, part: number): Record<number, number> {
  const times = batches.map((batch) => [batch, rowMs * (1 + part * (batch - 1))] as const)
  return Object.fromEntries(times)
}

// A linear congruential generator: questions need variety, not quality.
function numbers(seed: number): () => number {
  let state = (seed * 2654435761) % 4294967296
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296
    return state / 4294967296
  }
}
