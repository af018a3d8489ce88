import { MillraceError } from '../errors.ts'
import type { Estimate, PlannedConfiguration } from '../estimator/estimate.ts'
import { type Candidate, type Choice, configurationOf, configurationOfStage } from './choice.ts'
import type { Placement, SearchSpace } from './search-space.ts'

/** What the planner asks of the estimator. */
export interface Simulations {
  /** Of each configuration, the requests later than this, counted no further than the first beyond `enough`. */
  countLate(
    configurations: readonly PlannedConfiguration[],
    options: { latencyMs: number; enough: number; signal?: AbortSignal | undefined },
  ): Promise<ArrayLike<number>>
  estimate(
    configurations: readonly PlannedConfiguration[],
    options: { latencyMs: number; signal?: AbortSignal | undefined },
  ): Promise<readonly Estimate[]>
}

export interface JudgeOptions {
  readonly space: SearchSpace
  readonly simulations: Simulations
  /** Of the same pipeline, where busy threads do not slow each other down: a bound. Default: `simulations`. */
  readonly relaxed?: Simulations | undefined
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
  readonly #windows = new Map<string, { lateMs: number; metMs: number }>()
  readonly #known = new Map<string, { readonly late: number; readonly enough: number }>()
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

  /** Simulations run so far, those that were given up early included. */
  get simulated(): number {
    return this.#simulated
  }

  /** Of each candidate, its late requests, or one more than `enough`. */
  async late(candidates: readonly Candidate[], query: LateQuery = {}): Promise<readonly number[]> {
    const { enough = this.allowed, relaxed = false } = query
    const { space, latencyMs, signal } = this.#options
    if (signal?.aborted === true) throw cancelled(signal)
    const keys = candidates.map((candidate) => keyOf(candidate, relaxed && this.#relaxes))
    const unknown = new Map<string, Candidate>()
    for (const [index, key] of keys.entries()) {
      if (!this.#answers(key, enough)) unknown.set(key, candidates[index] as Candidate)
    }
    if (unknown.size > 0) {
      const configurations = [...unknown.values()].map((each) => configurationOf(each, space))
      const simulations = relaxed ? this.#relaxed : this.#options.simulations
      const counts = await simulations.countLate(configurations, { latencyMs, enough, signal })
      this.#simulated += counts.length
      for (const [index, key] of [...unknown.keys()].entries()) {
        this.#known.set(key, { late: counts[index] as number, enough })
      }
    }
    return keys.map((key) => Math.min(this.#known.get(key)?.late ?? 0, enough + 1))
  }

  /**
   * Whether a stage alone is clearly too late, whatever the others do: more than {@link clearlyLate} rows miss the window.
   */
  async tooLateAlone(query: AloneQuery): Promise<readonly boolean[]> {
    const { stage, choices, windowMs } = query
    if (this.#options.stage(stage) === undefined) return await this.#tooLateAmongIdeals(query)
    const keys = choices.map((choice) => `${stage} ${keyOf([choice], false)}`)
    const unknown = choices.filter((_, index) => {
      const { lateMs, metMs } = this.#window(keys[index] as string)
      return windowMs > lateMs && windowMs < metMs
    })
    const counts = await this.#lateAlone({ ...query, choices: unknown })
    for (const [index, choice] of unknown.entries()) {
      const window = this.#window(keys[choices.indexOf(choice)] as string)
      if ((counts[index] ?? 0) > this.clearlyLate) window.lateMs = Math.max(window.lateMs, windowMs)
      else window.metMs = Math.min(window.metMs, windowMs)
    }
    return keys.map((key) => windowMs <= this.#window(key).lateMs)
  }

  // Not by windows: how soon rows come to the stage, and leave after it, hangs on the layout.
  async #tooLateAmongIdeals({ stage, choices, layout }: AloneQuery): Promise<readonly boolean[]> {
    const ideal = layout.map(idealChoice)
    const candidates = choices.map((choice) => ideal.with(stage, choice))
    const counts = await this.late(candidates, { enough: this.clearlyLate, relaxed: true })
    return counts.map((late) => late > this.clearlyLate)
  }

  async #lateAlone({ stage, choices, windowMs }: AloneQuery): Promise<ArrayLike<number>> {
    const { space, signal } = this.#options
    const simulations = this.#options.stage(stage)
    if (choices.length === 0 || simulations === undefined) return []
    if (signal?.aborted === true) throw cancelled(signal)
    this.#simulated += choices.length
    const configurations = choices.map((choice) => configurationOfStage(choice, { space, stage }))
    const options = { latencyMs: windowMs, enough: this.clearlyLate, signal }
    return await simulations.countLate(configurations, options)
  }

  #window(key: string): { lateMs: number; metMs: number } {
    const known = this.#windows.get(key)
    if (known !== undefined) return known
    const fresh = { lateMs: Number.NEGATIVE_INFINITY, metMs: Number.POSITIVE_INFINITY }
    this.#windows.set(key, fresh)
    return fresh
  }

  /** All there is to know of each candidate. */
  async estimate(candidates: readonly Candidate[]): Promise<readonly Estimate[]> {
    const { space, simulations, latencyMs, signal } = this.#options
    if (signal?.aborted === true) throw cancelled(signal)
    const configurations = candidates.map((candidate) => configurationOf(candidate, space))
    this.#simulated += candidates.length
    return await simulations.estimate(configurations, { latencyMs, signal })
  }

  get #relaxed(): Simulations {
    return this.#options.relaxed ?? this.#options.simulations
  }

  get #relaxes(): boolean {
    return this.#options.relaxed !== undefined
  }

  #answers(key: string, enough: number): boolean {
    const known = this.#known.get(key)
    return known !== undefined && (known.late <= known.enough || enough <= known.enough)
  }
}

const marginShare = 0.25
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

function keyOf(candidate: Candidate, relaxed: boolean): string {
  const parts = candidate.map(
    ({ option, replicas }) => `${option.model ?? ''}/${option.tier}/${option.maxBatch}/${replicas}`,
  )
  return `${relaxed ? 'relaxed ' : ''}${parts.join(' ')}`
}

function cancelled(signal: AbortSignal): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_CANCELLED',
    message: 'the planner was told to stop by its signal before it had found a plan',
    cause: signal.reason,
  })
}
