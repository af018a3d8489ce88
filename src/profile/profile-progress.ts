/** How far a profile is. */
export interface ProfileProgress {
  /** What is being measured; undefined where it is all of them. */
  readonly stage: string | undefined
  readonly tier: string | undefined
  /** Rows of the batches being measured. */
  readonly batch: number | undefined
  /** Steps done, of `total`. It never goes back, and may jump where larger batches turn out not to pay. */
  readonly done: number
  readonly total: number
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
