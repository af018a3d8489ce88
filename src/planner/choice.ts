import type { PlannedConfiguration, PlannedStage } from '../estimator/estimate.ts'
import { accurateEnough, type Option, type SearchSpace } from './search-space.ts'

/** How one stage is run. A candidate has one a stage, in the order of the graph. */
export interface Choice {
  readonly option: Option
  readonly replicas: number
}

export type Candidate = readonly Choice[]

/** Sums of the same prices in another order may differ in the last bits: less than this is no difference. */
export const priceGrain = 1e-9

export function costPerHour(candidate: Candidate): number {
  return total(candidate, ({ option, replicas }) => option.pricePerHour * replicas)
}

export function memoryMb(candidate: Candidate): number {
  return total(candidate, ({ option, replicas }) => option.modelMb + option.replicaMb * replicas)
}

export function coresOf(candidate: Candidate): number {
  return total(candidate, ({ option, replicas }) => option.cores * replicas)
}

export function accuracyOf(candidate: Candidate): number {
  return candidate.reduce((product, { option }) => product * option.accuracy, 1)
}

/** Which limits a candidate oversteps. */
export function overstepped(candidate: Candidate, { limits }: SearchSpace): readonly string[] {
  const over = {
    maxReplicas: candidate.some(({ replicas }) => replicas > limits.maxReplicas),
    cores: coresOf(candidate) > limits.cores,
    memory: memoryMb(candidate) > limits.memoryMb,
    budget: costPerHour(candidate) > limits.budgetPerHour + priceGrain,
    accuracy: !accurateEnough(accuracyOf(candidate), limits.minAccuracy),
  }
  return Object.entries(over).flatMap(([name, is]) => (is ? [name] : []))
}

export function configurationOf(
  candidate: Candidate,
  { graph }: SearchSpace,
): PlannedConfiguration {
  return Object.fromEntries(
    candidate.map((choice, stage) => [graph.names[stage] as string, plannedStage(choice)]),
  )
}

/** Of a profile of that stage alone. */
export function configurationOfStage(
  choice: Choice,
  { space, stage }: { readonly space: SearchSpace; readonly stage: number },
): PlannedConfiguration {
  return { [space.graph.names[stage] as string]: plannedStage(choice) }
}

function plannedStage({ option, replicas }: Choice): PlannedStage {
  const { tier, maxBatch, model } = option
  return { tier, maxBatch, replicas, ...(model !== undefined && { model }) }
}

function total(candidate: Candidate, of: (choice: Choice) => number): number {
  return candidate.reduce((sum, choice) => sum + of(choice), 0)
}
