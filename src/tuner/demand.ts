/**
 * What traffic takes, of arrivals in a window or of replicas of a stage, by how much of it there is: at `level` times the
 * planned rate, `level * mean + sqrt(level) * spare`. Means grow with the rate and fluctuations with its root, as those of
 * all renewal processes do; the spare is what the plan has beyond the mean for them.
 */
export interface Demand {
  readonly mean: number
  readonly spare: number
}

export function demandAt({ mean, spare }: Demand, level: number): number {
  return level * mean + Math.sqrt(level) * spare
}

/** The level at which that much is taken; the inverse of {@link demandAt}. */
export function levelOf({ mean, spare }: Demand, amount: number): number {
  if (mean <= 0) return amount <= 0 ? 0 : Number.POSITIVE_INFINITY
  const root = (Math.sqrt(spare * spare + 4 * mean * amount) - spare) / (2 * mean)
  return root * root
}
