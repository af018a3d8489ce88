import { MillraceError } from '../errors.ts'
import type { Estimate, PlannedConfiguration } from '../estimator/estimate.ts'
import type { LateByBatch } from '../estimator/simulator.ts'
import { type Candidate, type Choice, configurationOf, configurationOfStage } from './choice.ts'
import type { Placement, SearchSpace } from './search-space.ts'
import { alike, type LateLimit, Verdicts } from './verdicts.ts'

/** What the planner asks of the estimator. */
export interface Simulations {
  /**
   * Of each configuration, the requests later than this, counted no further than the first beyond `enough`, and the largest
   * batches until then.
   */
  countLateByBatch(
    configurations: readonly PlannedConfiguration[],
    options: LateLimit & { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly LateByBatch[]>
  estimate(
    configurations: readonly PlannedConfiguration[],
    options: { latencyMs: number; signal?: AbortSignal | undefined },
  ): Promise<readonly Estimate[]>
}

export interface JudgeOptions {
  readonly space: SearchSpace
  readonly simulations: Simulations
  /** A bound: busy threads do not slow each other down, and what is hardest in the trace comes first, on its own. */
  readonly relaxed: Simulations
  /** Of one stage alone, where its rows can be told; a bound, too. */
  readonly stage: (stage: number) => Simulations | undefined
  readonly requests: number
  readonly latencyMs: number
  readonly percentile: number
  readonly signal?: AbortSignal | undefined
}

interface LateQuery {
  /** Counted no further than one beyond. Default: what is allowed. */
  readonly enough?: number
  /** By the relaxed simulations. Default false. */
  readonly relaxed?: boolean
}

/** A stage with all others ideal. */
export interface AloneQuery {
  readonly stage: number
  readonly choices: readonly Choice[]
  /** For its rows. */
  readonly windowMs: number
  readonly layout: readonly Placement[]
}

/** Simulates candidates for one question; knows what it has seen before. */
export class Judge {
  /** Requests that may be late. */
  readonly allowed: number
  readonly latencyMs: number
  readonly requests: number
  readonly #options: JudgeOptions
  readonly #whole = new Verdicts()
  readonly #relaxed = new Verdicts()
  readonly #ofStages = new Map<number, Verdicts>()
  #simulated = 0

  constructor(options: JudgeOptions) {
    this.#options = options
    this.latencyMs = options.latencyMs
    this.requests = options.requests
    this.allowed = allowedLate(options.requests, options.percentile)
  }

  /**
   * Late requests from which a candidate is taken to miss the objective with more replicas, too. More replicas now and then
   * make a few requests later, as smaller batches are formed; hence the margin. The README says how often that was seen.
   */
  get clearlyLate(): number {
    return this.allowed + Math.ceil(this.allowed * marginShare) + marginRequests
  }

  /**
   * Late requests from which a candidate is taken to miss the objective when they were counted part by part of the trace,
   * with empty queues before each part.
   */
  get surelyLate(): number {
    return this.allowed + Math.ceil(this.allowed * orderMarginShare) + marginRequests
  }

  /** Simulations run so far, those that were given up early included. */
  get simulated(): number {
    return this.#simulated
  }

  /** Of each candidate, its late requests, or one more than `enough`. */
  async late(candidates: readonly Candidate[], query: LateQuery = {}): Promise<readonly number[]> {
    const { enough = this.allowed, relaxed = false } = query
    const { space } = this.#options
    const limit = { latencyMs: this.latencyMs, enough }
    const verdicts = relaxed ? this.#relaxed : this.#whole
    await this.#learn(candidates, {
      simulations: relaxed ? this.#options.relaxed : this.#options.simulations,
      configurationOf: (each) => configurationOf(each, space),
      verdicts,
      isKnown: (each) => verdicts.late(each, limit) !== undefined,
      ...limit,
    })
    return candidates.map((each) => verdicts.late(each, limit) as number)
  }

  /**
   * Whether a stage alone is clearly too late, whatever the others do: more than {@link clearlyLate} rows miss the window.
   */
  async tooLateAlone(query: AloneQuery): Promise<readonly boolean[]> {
    const { stage, windowMs } = query
    const simulations = this.#options.stage(stage)
    if (simulations === undefined) return await this.#tooLateAmongIdeals(query)
    const { space } = this.#options
    const limit = { latencyMs: windowMs, enough: this.clearlyLate }
    const verdicts = this.#ofStages.get(stage) ?? new Verdicts()
    this.#ofStages.set(stage, verdicts)
    const candidates = query.choices.map((choice) => [choice])
    await this.#learn(candidates, {
      simulations,
      configurationOf: ([choice]) => configurationOfStage(choice as Choice, { space, stage }),
      verdicts,
      isKnown: (each) => verdicts.exceeds(each, limit) !== undefined,
      ...limit,
    })
    return candidates.map((each) => verdicts.exceeds(each, limit) === true)
  }

  // Where the rows of a stage cannot be told: in the whole pipeline.
  async #tooLateAmongIdeals({ stage, choices, layout }: AloneQuery): Promise<readonly boolean[]> {
    const ideal = layout.map(idealChoice)
    const candidates = choices.map((choice) => ideal.with(stage, choice))
    const counts = await this.late(candidates, { enough: this.clearlyLate, relaxed: true })
    return counts.map((late) => late > this.clearlyLate)
  }

  // Side by side, save for what may turn out the same: there the largest batches tell most of the others.
  async #learn(candidates: readonly Candidate[], lesson: Lesson): Promise<void> {
    const { simulations, configurationOf, verdicts, isKnown, latencyMs, enough } = lesson
    const { signal } = this.#options
    if (signal?.aborted === true) throw cancelled(signal)
    const options = { latencyMs, enough, signal }
    const groups = alike(candidates.filter((each) => !isKnown(each)))
    const atOnce = Math.max(1, Math.ceil(sideBySide / groups.length))
    await Promise.all(
      groups.map(async (group) => {
        let unknown = group
        while (unknown.length > 0) {
          const first = unknown.slice(0, atOnce)
          const shown = await simulations.countLateByBatch(first.map(configurationOf), options)
          this.#simulated += first.length
          for (const [index, candidate] of first.entries()) {
            verdicts.add(candidate, { ...(shown[index] as LateByBatch), latencyMs, enough })
          }
          unknown = unknown.filter((each) => !isKnown(each))
        }
      }),
    )
  }

  /** All there is to know of each candidate. */
  async estimate(candidates: readonly Candidate[]): Promise<readonly Estimate[]> {
    const { space, simulations, latencyMs, signal } = this.#options
    if (signal?.aborted === true) throw cancelled(signal)
    const configurations = candidates.map((candidate) => configurationOf(candidate, space))
    this.#simulated += candidates.length
    return await simulations.estimate(configurations, { latencyMs, signal })
  }
}

// What is to be learnt by simulating, and how.
interface Lesson extends LateLimit {
  readonly simulations: Simulations
  readonly configurationOf: (candidate: Candidate) => PlannedConfiguration
  readonly verdicts: Verdicts
  readonly isKnown: (candidate: Candidate) => boolean
}

// Simulations of candidates that may turn out the same, where there are no others.
const sideBySide = 4

const marginShare = 0.25
const orderMarginShare = 0.07
const marginRequests = 4

/** As good as a stage of this placement can be: batches of one, at once. */
export function idealChoice({ options }: Placement): Choice {
  return { option: options[0] as Choice['option'], replicas: plenty }
}

// Replicas cost the simulator nothing.
const plenty = 1_000_000

/** Requests of so many that may be late while the percentile still holds, by nearest rank. */
export function allowedLate(requests: number, percentile: number): number {
  // 99 % of 300 is 297, not the 298 that rounding up the floating-point product can give.
  return requests - Math.ceil((requests * percentile) / 100 - 1e-9)
}

function cancelled(signal: AbortSignal): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_CANCELLED',
    message: 'the planner was told to stop by its signal before it had found a plan',
    cause: signal.reason,
  })
}
