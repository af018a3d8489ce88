import type { Candidate } from './choice.ts'

/** What a simulation has shown. */
export interface Verdict {
  /** Late requests, or one more than `enough`. */
  readonly late: number
  readonly enough: number
  /** What was late: longer than this. */
  readonly latencyMs: number
  /** By stage, as it was simulated. */
  readonly maxBatches: readonly number[]
  /** Rows of the largest batch that each stage began until the count was over. */
  readonly largestBatches: readonly number[]
}

export interface LateLimit {
  readonly latencyMs: number
  /** Counted no further than one beyond. */
  readonly enough: number
}

/**
 * What simulations have shown of candidates, and of those that differ from them in largest batches alone. Where a stage
 * never began a batch as large as it may, it would have done the same under any limit that is no smaller than the largest
 * it began: not about the same, but the same simulation to the last bit, up to where it was given up.
 */
export class Verdicts {
  readonly #byReplicas = new Map<string, Verdict[]>()

  add(candidate: Candidate, shown: Omit<Verdict, 'maxBatches'>): void {
    const key = replicasKey(candidate)
    const verdict = { ...shown, maxBatches: candidate.map(({ option }) => option.maxBatch) }
    const known = this.#byReplicas.get(key)
    if (known === undefined) this.#byReplicas.set(key, [verdict])
    else known.push(verdict)
  }

  /** Late requests, at most one more than `enough`; undefined where that cannot be told. */
  late(candidate: Candidate, { latencyMs, enough }: LateLimit): number | undefined {
    const verdict = this.#of(candidate).find(
      (each) => each.latencyMs === latencyMs && (isWhole(each) || enough <= each.enough),
    )
    return verdict && Math.min(verdict.late, enough + 1)
  }

  /** Whether more than `enough` are late; undefined where that cannot be told. */
  exceeds(candidate: Candidate, { latencyMs, enough }: LateLimit): boolean | undefined {
    for (const verdict of this.#of(candidate)) {
      const { late } = verdict
      if (late > enough && latencyMs <= verdict.latencyMs) return true
      if (isWhole(verdict) && late <= enough && latencyMs >= verdict.latencyMs) return false
    }
    return undefined
  }

  #of(candidate: Candidate): readonly Verdict[] {
    const verdicts = this.#byReplicas.get(replicasKey(candidate)) ?? []
    return verdicts.filter((each) => sameSimulation(each, candidate))
  }
}

/** Candidates by what may turn out the same: those that differ in their largest batches alone, the largest first. */
export function alike(candidates: readonly Candidate[]): readonly (readonly Candidate[])[] {
  const groups = new Map<string, Candidate[]>()
  for (const candidate of candidates) {
    const key = replicasKey(candidate)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [candidate])
    else group.push(candidate)
  }
  return [...groups.values()].map((group) => group.toSorted((a, b) => batchesOf(b) - batchesOf(a)))
}

// The same for candidates that differ in their largest batches alone.
function replicasKey(candidate: Candidate): string {
  return candidate
    .map(({ option, replicas }) => `${option.model ?? ''}/${option.tier}/${replicas}`)
    .join(' ')
}

function batchesOf(candidate: Candidate): number {
  return candidate.reduce((sum, { option }) => sum + Math.log2(option.maxBatch), 0)
}

// The count was not given up.
function isWhole({ late, enough }: Verdict): boolean {
  return late <= enough
}

function sameSimulation({ maxBatches, largestBatches }: Verdict, candidate: Candidate): boolean {
  return candidate.every(({ option }, stage) => {
    const [simulated = 0, largest = 0] = [maxBatches[stage], largestBatches[stage]]
    return option.maxBatch === simulated || (largest < simulated && option.maxBatch >= largest)
  })
}
