import type { Plot } from './plot.ts'

/** An experiment of the paper, done again: what is asked, how, and what its data say. */
export interface Figure<Data = unknown> {
  /** As the command line, the files and its own module know it, such as `fig5`. */
  readonly name: string
  readonly title: string
  readonly question: string
  readonly protocol: string
  /** What is not as in the paper. */
  readonly differences: readonly string[]
  /** Whether the data depend on the machine and the hour, and not on the seed alone. */
  readonly isMeasured: boolean
  /** Plain data, as JSON holds them. Rejects with MILLRACE_CANCELLED when the signal is aborted. */
  run(terms: FigureTerms): Promise<Data>
  /** What the data say; a pure function of them. */
  present(data: Data): Presentation
}

export interface FigureTerms {
  /** An integer from 0: which random numbers, of all those there are. */
  readonly seed: number
  /** Fewer points and shorter traces. */
  readonly quick: boolean
  readonly signal?: AbortSignal | undefined
  readonly onProgress: (progress: FigureProgress) => void
}

export interface FigureProgress {
  readonly done: number
  readonly total: number
  readonly text: string
}

export interface Presentation {
  readonly findings: readonly Finding[]
  readonly plots: readonly Plot[]
  readonly tables: readonly FigureTable[]
}

/** One trend of the paper held against what was found here. */
export interface Finding {
  readonly claim: string
  /** What the paper says, with its numbers where they are known. */
  readonly published: string
  /** `sure`: read in the paper; `likely`: remembered; `ours`: the paper says nothing, it is a target of this project. */
  readonly confidence: 'sure' | 'likely' | 'ours'
  readonly ours: string
  readonly verdict: Verdict
  /** Why this verdict, in one sentence. */
  readonly reason: string
  /** Why it is not as published, where it is not. */
  readonly analysis?: string | undefined
}

export const verdicts = ['confirmed', 'confirmed in part', 'not confirmed', 'reported'] as const
/** `reported`: there is nothing to judge by. */
export type Verdict = (typeof verdicts)[number]

/** Texts; the first row is the heading. */
export interface FigureTable {
  readonly title: string
  readonly rows: readonly (readonly string[])[]
}
