// One listener a signal, however many requests share it: Node warns of a leak from the eleventh on.

export class AbortListeners {
  readonly #abort: (index: number, signal: AbortSignal) => void
  readonly #waiting = new Map<AbortSignal, { indices: Set<number>; listener: () => void }>()

  /** `abort` is called for each request whose signal is aborted. */
  constructor(abort: (index: number, signal: AbortSignal) => void) {
    this.#abort = abort
  }

  /** Listens for a pending request; returns what to call when it is settled. */
  add(index: number, signal: AbortSignal): () => void {
    const { indices, listener } = this.#waiting.get(signal) ?? this.#listen(signal)
    indices.add(index)
    return () => {
      indices.delete(index)
      if (indices.size > 0) return
      this.#waiting.delete(signal)
      signal.removeEventListener('abort', listener)
    }
  }

  #listen(signal: AbortSignal): { indices: Set<number>; listener: () => void } {
    const indices = new Set<number>()
    const listener = (): void => {
      // Of a copy: each that is settled takes itself out.
      for (const index of [...indices]) this.#abort(index, signal)
    }
    const entry = { indices, listener }
    this.#waiting.set(signal, entry)
    signal.addEventListener('abort', listener)
    return entry
  }
}
