import { MillraceError } from '../errors.ts'
import type { FigureTerms } from './figure.ts'

/** The steps of a figure: each is told of before it is taken, and none is taken after the signal. */
export class Steps {
  readonly #terms: FigureTerms
  readonly #total: number
  #done = -1

  constructor(terms: FigureTerms, total: number) {
    this.#terms = terms
    this.#total = total
  }

  /** @throws {MillraceError} MILLRACE_CANCELLED */
  next(text: string): void {
    const { signal, onProgress } = this.#terms
    if (signal?.aborted) throw cancelled(signal)
    this.#done += 1
    onProgress({ done: this.#done, total: this.#total, text })
  }
}

function cancelled(signal: AbortSignal): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_CANCELLED',
    message: 'the replication was cancelled through its signal',
    cause: signal.reason,
  })
}
