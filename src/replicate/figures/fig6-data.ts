import type { LiveOutcome, LiveSample } from '../live-run.ts'

export interface Fig6Data {
  readonly latencyMs: number
  readonly traces: readonly Fig6Trace[]
}

export interface Fig6Trace {
  readonly shape: 'big-spike' | 'large-variations'
  readonly seed: number
  readonly durationMs: number
  /** Mean rates of the part planned for and of the part served. */
  readonly sampleRatePerS: number
  readonly liveRatePerS: number
  readonly runs: readonly Fig6Run[]
}

export interface Fig6Run extends LiveOutcome {
  readonly system: string
  readonly setting?: string | undefined
  readonly isBaseline: boolean
  readonly activationMs: number
  readonly plan: {
    readonly strategy: string
    readonly percentile: number
    readonly costPerHour: number
    /** On the part planned for. */
    readonly attainment: number
  }
  /** Empty where it is not drawn. */
  readonly series: readonly LiveSample[]
}
