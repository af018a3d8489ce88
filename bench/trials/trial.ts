/** What a trial is: something of ours measured beside something to compare it with, and a target. */

/** A limit on one figure of a comparison: its ratio, or ours alone. */
export type Target = { figure: 'ratio' | 'ours' } & (
  | { atLeast: number; atMost?: never }
  | { atMost: number; atLeast?: never }
)

export type Trial = {
  name: string
  /** One line for `--help`. */
  measures: string
  unit: string
  target: Target
  /** `reference/ours` where less is better, so that more is always better for us, save for memory. */
  ratio: 'ours/reference' | 'reference/ours'
  run(options: TrialOptions): Promise<Comparison[]>
}

export type TrialOptions = {
  /** Few and short rounds: to see that it works, not to quote. */
  quick: boolean
}

/** One thing compared; a trial with several is judged by its worst. */
export type Comparison = {
  /** What tells it from the trial's others. */
  case?: string
  /** Null where it could not be measured here; `missing` says why. */
  ours: number | null
  reference: number | null
  referenceName: string | null
  /** In place of the trial's. */
  target?: Target
  /** In place of the trial's. */
  unit?: string
  /** Set where a comparison cannot be made here, with what to do about it. */
  missing?: string
  /** What was measured besides, settings, spreads. */
  details?: Record<string, unknown>
}
