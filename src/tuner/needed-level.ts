// How much traffic of the planned kind there is, and what it takes: 1 is the planned rate. README.md has the formulae.
import { demandAt, levelOf } from './demand.ts'
import type { PlannedDemand, PlannedStageDemand, PlannedWindow } from './planned-demand.ts'
import type { TunerRules } from './tuner-options.ts'

type Method = Pick<TunerRules, 'method' | 'tolerance' | 'headroom'>

/** The level that some replicas are good for. */
export function levelOfReplicas(
  replicas: (stage: string) => number,
  { stages, rules }: { readonly stages: readonly PlannedStageDemand[]; readonly rules: Method },
): number {
  const levels = stages.map((stage) => {
    const count = replicas(stage.name)
    const isFewer = count < stage.replicas && rules.method === 'level'
    return isFewer ? levelOf(stage.demand, count) : count / stage.replicas
  })
  return Math.min(...levels)
}

/** The most that a window may hold at a level before it asks for more. */
export function allowedArrivals(
  window: PlannedWindow,
  { level, ratePerS, rules }: { level: number; ratePerS: number; rules: Method },
): number {
  const arrivals =
    rules.method === 'level'
      ? demandAt(window.demand, level)
      : Math.max(
          Math.min(1, level) * window.arrivals,
          ((level * window.windowMs) / 1000) * ratePerS,
        )
  return arrivals + rules.tolerance * Math.sqrt(arrivals)
}

/** The level that a window with so many arrivals tells of; as published, that of its rate. */
export function neededLevel(
  window: PlannedWindow,
  { arrivals, ratePerS, rules }: { arrivals: number; ratePerS: number; rules: Method },
): number {
  if (rules.method === 'level') return levelOf(window.demand, arrivals)
  return (1000 * arrivals) / window.windowMs / ratePerS
}

/** Replicas of a stage at a level. */
export function replicasAt(
  stage: PlannedStageDemand,
  { level, ratePerS, rules }: { level: number; ratePerS: number; rules: Method },
): number {
  if (rules.method === 'level') {
    // Within the plan its own replicas are enough.
    const ready = level * (1 + rules.headroom)
    if (level > 1) return roundUp(ready * stage.replicas)
    return roundUp(demandAt(stage.demand, Math.min(1, ready)))
  }
  // InferLine, section 5: as full as the planner ran it.
  const { scaleFactor, replicaRatePerS, load } = stage
  return roundUp((level * ratePerS * scaleFactor) / (replicaRatePerS * load))
}

/** As published for a rate that fell: as full as the planner ran the stage that is least full. */
export function replicasAtRate(
  { scaleFactor, replicaRatePerS }: PlannedStageDemand,
  { ratePerS, leastLoad }: { readonly ratePerS: number } & Pick<PlannedDemand, 'leastLoad'>,
): number {
  return roundUp((ratePerS * scaleFactor) / (replicaRatePerS * leastLoad))
}

/** Up, but for what is rounding. */
function roundUp(replicas: number): number {
  return Math.ceil(replicas - 1e-6)
}
