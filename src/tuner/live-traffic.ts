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
  #inStep = 0
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
    this.#inStep++
    return this.#envelope.add(nowMs)
  }

  /** A step of `checkEveryMs` ends. */
  endStep(nowMs: number): void {
    this.#envelope.advance(nowMs)
    const peaks = this.#envelope.takePeaks()
    this.#peaks.push(peaks)
    if (this.#peaks.length > this.#stepsKept) this.#peaks.shift()
    this.#most = largest([this.#most, peaks])
    this.#rate.push(this.#inStep)
    this.#inStep = 0
  }

  setLimits(limits: readonly number[]): void {
    this.#envelope.setLimits(limits)
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
