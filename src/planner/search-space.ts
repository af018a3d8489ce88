import type { Hardware } from '../profile/hardware.ts'
import type { Profile, StageProfile, TierProfile } from '../profile/profile.ts'
import type { PlanLimits } from './plan.ts'
import { serviceTimesMs } from './service-times.ts'
import { type StageGraph, stageGraph } from './stage-graph.ts'

/** One way to run a stage, the number of replicas aside. */
export interface Option {
  readonly model: string | undefined
  readonly tier: string
  readonly maxBatch: number
  /** 1 where there are no models to choose from. */
  readonly accuracy: number
  /** What each replica takes. */
  readonly pricePerHour: number
  readonly cores: number
  readonly replicaMb: number
  /** What they share. */
  readonly modelMb: number
  /** By batch size, the time on the way to the next batch included. */
  readonly serviceMs: Float64Array
}

/** A model on a tier: the options that differ in their largest batch alone. */
export interface Placement {
  readonly model: string | undefined
  readonly tier: string
  readonly pricePerHour: number
  /** Of one row. */
  readonly leastMs: number
  /** By largest batch, ascending; at least one. */
  readonly options: readonly Option[]
}

/** All that may be chosen from. */
export interface SearchSpace {
  readonly graph: StageGraph
  /** By stage, in the order of the graph. */
  readonly placements: readonly (readonly Placement[])[]
  readonly limits: CompleteLimits
}

/** Limits with their defaults; infinite where there is none. */
export interface CompleteLimits {
  readonly maxReplicas: number
  readonly cores: number
  readonly memoryMb: number
  readonly budgetPerHour: number
  readonly minAccuracy: number
}

export interface SpaceOptions {
  readonly profile: Profile
  readonly hardware: Hardware
  readonly limits: PlanLimits
}

const mostReplicasByDefault = 64
// Beyond, replicas that share cores only take them from each other.
const replicasPerCore = 4

function defaultMaxReplicas({ contention, machine }: Profile): number {
  if (contention === undefined || machine === undefined) return mostReplicasByDefault
  return Math.min(mostReplicasByDefault, replicasPerCore * machine.cores)
}

/** Stages may end up without any placement; saying so is left to who asks. */
export function searchSpace({ profile, hardware, limits }: SpaceOptions): SearchSpace {
  const graph = stageGraph(profile)
  const all = graph.names.map((name) => {
    const stage = profile.stages[name] as StageProfile
    return placementsOf(stage, { profile, hardware, limits })
  })
  const best = all.map((placements) => Math.max(0, ...placements.map(accuracyOf)))
  const minAccuracy = limits.minAccuracy ?? product(best)
  return {
    graph,
    placements: all.map((placements, stage) => {
      const others = product(best.toSpliced(stage, 1))
      return placements.filter((each) => accurateEnough(accuracyOf(each) * others, minAccuracy))
    }),
    limits: {
      maxReplicas: limits.maxReplicas ?? defaultMaxReplicas(profile),
      cores: limits.cores ?? Number.POSITIVE_INFINITY,
      memoryMb: limits.memoryMb ?? Number.POSITIVE_INFINITY,
      budgetPerHour: limits.budgetPerHour ?? Number.POSITIVE_INFINITY,
      minAccuracy,
    },
  }
}

/** Products of the same numbers in another order may differ in the last bit. */
export function accurateEnough(accuracy: number, minAccuracy: number): boolean {
  return accuracy >= minAccuracy * (1 - 1e-12)
}

/** 1 where there are no models to choose from. */
export function accuracyOf({ options }: Placement): number {
  return options[0]?.accuracy ?? 1
}

/** The one that takes least for one row; of equals the first. */
export function fastest(placements: readonly Placement[]): Placement | undefined {
  return placements.toSorted((a, b) => a.leastMs - b.leastMs)[0]
}

function placementsOf(stage: StageProfile, context: SpaceOptions): readonly Placement[] {
  const { models, tiers = {} } = stage
  if (models === undefined) return onTiers(tiers, { ...context, stage, accuracy: 1 })
  return Object.entries(models).flatMap(([model, { accuracy, tiers }]) =>
    onTiers(tiers, { ...context, stage, accuracy, model }),
  )
}

interface TierContext extends SpaceOptions {
  readonly stage: StageProfile
  readonly accuracy: number
  readonly model?: string
}

function onTiers(
  tiers: Readonly<Record<string, TierProfile>>,
  { profile, hardware, limits, stage, accuracy, model }: TierContext,
): readonly Placement[] {
  const hopMs = stage.hopMs ?? profile.overhead?.hopMs ?? 0
  return Object.entries(tiers).flatMap(([tier, measured]) => {
    const slot = hardware.tiers[tier]
    if (slot === undefined || limits.tiers?.includes(tier) === false) return []
    const threads = slot.threads ?? 1
    const shared = slot.kind === 'cpu' && threads === 1
    const { modelMb = 0, replicaMb = 0 } = measured
    const options = batchSizes(measured, limits.maxBatch).map((maxBatch) => ({
      model,
      tier,
      maxBatch,
      accuracy,
      pricePerHour: slot.pricePerHour,
      cores: slot.kind === 'cpu' && stage.kind !== 'inline' ? threads : 0,
      replicaMb: shared ? replicaMb : replicaMb + modelMb,
      modelMb: shared ? modelMb : 0,
      serviceMs: serviceTimesMs(measured.points, { maxBatch, hopMs }),
    }))
    const leastMs = options[0]?.serviceMs[1] ?? 0
    return [{ model, tier, pricePerHour: slot.pricePerHour, leastMs, options }]
  })
}

/** Those that were profiled, and the powers of 2 that InferLine doubles to. */
function batchSizes({ points }: TierProfile, maxBatch = Number.POSITIVE_INFINITY): number[] {
  const largest = Math.min(maxBatch, points.at(-1)?.batch ?? 1)
  const sizes = new Set([1, ...points.map(({ batch }) => batch)])
  for (let size = 1; size <= largest; size *= 2) sizes.add(size)
  return [...sizes].filter((size) => size <= largest).sort((a, b) => a - b)
}

function product(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total * each, 1)
}
