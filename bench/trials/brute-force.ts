/** Simulates every configuration within the limits of a small question. */
import { Simulator } from '../../dist/estimator/simulator.js'
import type { PlannedConfiguration } from '../../dist/index.js'
import type { SmallQuestion } from './small-question.ts'

export type BruteForceAnswer = {
  /** Of the cheapest that meets the objective; null where none does. */
  costPerHour: number | null
  /** How many there were. */
  configurations: number
}

export async function bruteForce(question: SmallQuestion): Promise<BruteForceAnswer> {
  const { profile, hardware, trace, objective } = question
  const all = configurations(question)
  const simulator = new Simulator({ profile, hardware, trace })
  const late = await simulator.countLate(all, { latencyMs: objective.latencyMs })
  const requests = trace.arrivalsMs.length
  const costs = all
    .filter((_, index) => meets(late[index] ?? requests, { requests, objective }))
    .map((configuration) =>
      Object.values(configuration).reduce((sum, { tier, replicas }) => {
        return sum + (hardware.tiers[tier]?.pricePerHour ?? Number.NaN) * replicas
      }, 0),
    )
  return {
    costPerHour: costs.length === 0 ? null : Math.min(...costs),
    configurations: all.length,
  }
}

// The share of requests in time is at least the percentile; in whole numbers, up to rounding.
function meets(
  late: number,
  { requests, objective }: { requests: number; objective: SmallQuestion['objective'] },
): boolean {
  return (requests - late) * 100 >= requests * objective.percentile - 1e-6
}

function configurations({ profile, limits }: SmallQuestion): PlannedConfiguration[] {
  let all: PlannedConfiguration[] = [{}]
  for (const [name, { tiers = {} }] of Object.entries(profile.stages)) {
    const ways = Object.entries(tiers).flatMap(([tier, { points }]) => {
      return points.flatMap(({ batch: maxBatch }) =>
        upTo(limits.maxReplicas).map((replicas) => ({ tier, maxBatch, replicas })),
      )
    })
    all = all.flatMap((others) => ways.map((way) => ({ ...others, [name]: way })))
  }
  return all
}

function upTo(most: number): number[] {
  return Array.from({ length: most }, (_, index) => index + 1)
}
