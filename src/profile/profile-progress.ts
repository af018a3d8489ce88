/** How far a profile is. */
export interface ProfileProgress {
  /** Which stage is being measured; undefined where it is all of them. */
  readonly stage: string | undefined
  /** On which tier; undefined where it is all stages. */
  readonly tier: string | undefined
  /** Rows of the batches being measured; undefined where it is all stages. */
  readonly batch: number | undefined
  /** How many steps are done, of `total`. It never goes back, and may jump where larger batches turn out not to pay. */
  readonly done: number
  /** How many steps there are at most. */
  readonly total: number
  /** What was done last, for people. */
  readonly message: string
}

/** Counts steps and tells of them. */
export class ProgressCounter {
  readonly #total: number
  readonly #report: ((progress: ProfileProgress) => void) | undefined
  #done = 0

  constructor(total: number, report: ((progress: ProfileProgress) => void) | undefined) {
    this.#total = total
    this.#report = report
  }

  get done(): number {
    return this.#done
  }

  /** One step more is done. */
  step(what: Partial<ProfileProgress> & { readonly message: string }): void {
    this.reach(this.#done + 1, what)
  }

  /** As many steps are done, whether or not they were taken. */
  reach(done: number, what: Partial<ProfileProgress> & { readonly message: string }): void {
    this.#done = Math.min(this.#total, Math.max(this.#done, done))
    const { stage, tier, batch, message } = what
    this.#report?.({ stage, tier, batch, done: this.#done, total: this.#total, message })
  }
}
