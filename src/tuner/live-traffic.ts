import { LiveEnvelope } from './live-envelope.ts'
import { RecentRate } from './recent-rate.ts'
import type { TunerRules } from './tuner-options.ts'

/** What of a state is traffic. */
export interface Traffic {
  readonly arrivals: readonly number[]
  readonly recentArrivals: readonly number[]
  readonly recentRatePerS: number
}

/** Traffic as it comes, in constant memory: windows that end now, and what they held lately. */
export class LiveTraffic {
  readonly #envelope: LiveEnvelope
  readonly #rate: RecentRate
  /** For each of the last steps, the most in each window. */
  readonly #peaks: (readonly number[])[] = []
  readonly #stepsKept: number
  /** Arrivals before the step that goes on. */
  #totalBefore = 0
  #most: readonly number[]

  /** @param windowsMs Ascending. Times count from 0. */
  constructor(windowsMs: readonly number[], rules: TunerRules) {
    const { checkEveryMs, rateWindowMs, historyMs } = rules
    this.#envelope = new LiveEnvelope(windowsMs)
    this.#rate = new RecentRate({ stepMs: checkEveryMs, windowMs: rateWindowMs, historyMs })
    this.#stepsKept = Math.max(1, Math.round(historyMs / checkEveryMs))
    this.#most = windowsMs.map(() => 0)
  }

  /** A request arrives. Whether that asks for a decision. */
  add(nowMs: number): boolean {
    return this.#envelope.add(nowMs)
  }

  /** How many more ask for no decision. */
  get slack(): number {
    return this.#envelope.slack
  }

  /** Others arrived together with the one before, fewer than ask for a decision. */
  addMore(arrivals: number): void {
    this.#envelope.addMore(arrivals)
  }

  /** A step of `checkEveryMs` ends. */
  endStep(nowMs: number): void {
    this.#envelope.advance(nowMs)
    const peaks = this.#envelope.takePeaks()
    this.#peaks.push(peaks)
    if (this.#peaks.length > this.#stepsKept) this.#peaks.shift()
    this.#most = largest([this.#most, peaks])
    this.#rate.push(this.total - this.#totalBefore)
    this.#totalBefore = this.total
  }

  setLimits(limits: readonly number[]): void {
    this.#envelope.setLimits(limits)
  }

  /** Arrivals since the beginning. */
  get total(): number {
    return this.#envelope.total
  }

  get now(): Traffic {
    const arrivals = this.#envelope.counts()
    return {
      arrivals,
      recentArrivals: largest([...this.#peaks, arrivals]),
      recentRatePerS: this.#rate.highestPerS(),
    }
  }

  /** The most in each window since the beginning: the live envelope. */
  get most(): readonly number[] {
    return largest([this.#most, this.#envelope.counts()])
  }
}

function largest(lists: readonly (readonly number[])[]): readonly number[] {
  const [first = [], ...others] = lists
  return first.map((count, at) => others.reduce((most, one) => Math.max(most, one[at] ?? 0), count))
}
