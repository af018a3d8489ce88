import type { PlannedStageDemand } from './planned-demand.ts'
import type { TunerRules } from './tuner-options.ts'

/** What is granted of what was wanted, and which limit kept back the rest. */
export interface Granted {
  readonly replicas: ReadonlyMap<string, number>
  readonly bound: string | undefined
}

/**
 * Adds replicas one by one, each to the stage that is furthest from what it needs, for as long as the limits allow. Never
 * takes any away.
 */
export function withinLimits(
  wanted: ReadonlyMap<string, number>,
  given: {
    readonly present: (stage: string) => number
    readonly stages: readonly PlannedStageDemand[]
    readonly limits: TunerRules['limits']
  },
): Granted {
  const { stages, limits, present } = given
  const replicas = new Map(stages.map(({ name }) => [name, present(name)]))
  const count = (stage: PlannedStageDemand): number => replicas.get(stage.name) ?? 0
  const sum = (of: (stage: PlannedStageDemand) => number): number => {
    return stages.reduce((total, stage) => total + of(stage) * count(stage), 0)
  }
  let bound: string | undefined
  const open = new Set(stages)
  for (;;) {
    const next = furthest([...open], (stage) => count(stage) / (wanted.get(stage.name) ?? 0))
    if (next === undefined) return { replicas, bound }
    const limit = limitOn(next, { limits, count: count(next), sum })
    if (limit === undefined) replicas.set(next.name, count(next) + 1)
    else {
      bound ??= limit
      open.delete(next)
    }
  }
}

/** The stage that has the least share of what it needs; undefined where all have enough. */
function furthest(
  stages: readonly PlannedStageDemand[],
  shareOf: (stage: PlannedStageDemand) => number,
): PlannedStageDemand | undefined {
  let least = 1
  let found: PlannedStageDemand | undefined
  for (const stage of stages) {
    const share = shareOf(stage)
    if (share < least) [least, found] = [share, stage]
  }
  return found
}

/** What forbids another replica. */
function limitOn(
  { name, cores, pricePerHour }: PlannedStageDemand,
  given: {
    readonly limits: TunerRules['limits']
    readonly count: number
    readonly sum: (of: (stage: PlannedStageDemand) => number) => number
  },
): string | undefined {
  const { limits, count, sum } = given
  if (count >= limits.maxReplicas) return `at most ${limits.maxReplicas} replicas of ${name}`
  if (cores > 0 && sum((stage) => stage.cores) + cores > limits.cores)
    return `${limits.cores} cores`
  const costPerHour = sum((stage) => stage.pricePerHour) + pricePerHour
  // Prices are decimals: a sum may be off in its last digits.
  if (costPerHour > limits.budgetPerHour * (1 + 1e-9)) return `${limits.budgetPerHour}/h`
  return undefined
}
