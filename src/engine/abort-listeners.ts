// One listener a signal, however many requests share it: Node warns of a leak from the eleventh on. Signals that are yet to
// be made are asked for when their request has waited for a while, which most have not: a signal costs several times
// what the rest of a small request does.

/** A signal, or what gives it when it is first needed. */
export type SignalSource = AbortSignal | (() => AbortSignal)

/** Requests that wait for longer have their signal asked for, within twice the time. */
const patienceMs = 10

type Ask = () => AbortSignal

export class AbortListeners {
  readonly #abort: (index: number, signal: AbortSignal) => void
  readonly #waiting = new Map<AbortSignal, { indices: Set<number>; listener: () => void }>()
  /** Requests whose signal was not asked for, of the time before this one and of this one. */
  #older = new Map<number, Ask>()
  #newer = new Map<number, Ask>()
  readonly #asked = new Map<number, () => void>()
  #timer: NodeJS.Timeout | undefined

  /** `abort` is called for each request whose signal is aborted. */
  constructor(abort: (index: number, signal: AbortSignal) => void) {
    this.#abort = abort
  }

  /** Listens for a pending request; returns what to call when it is settled. */
  add(index: number, source: SignalSource): () => void {
    if (typeof source === 'function') return this.#addLater(index, source)
    const { indices, listener } = this.#waiting.get(source) ?? this.#listen(source)
    indices.add(index)
    return () => {
      indices.delete(index)
      if (indices.size > 0) return
      this.#waiting.delete(source)
      source.removeEventListener('abort', listener)
    }
  }

  #addLater(index: number, ask: Ask): () => void {
    this.#newer.set(index, ask)
    this.#timer ??= setTimeout(this.#askOlder, patienceMs).unref()
    return () => {
      if (this.#newer.delete(index) || this.#older.delete(index)) return
      this.#asked.get(index)?.()
      this.#asked.delete(index)
    }
  }

  readonly #askOlder = (): void => {
    this.#timer = undefined
    const due = this.#older
    this.#older = this.#newer
    this.#newer = new Map()
    if (this.#older.size > 0) this.#timer = setTimeout(this.#askOlder, patienceMs).unref()
    for (const [index, ask] of due) {
      // What aborts one may settle others.
      if (!due.delete(index)) continue
      const signal = signalOf(ask)
      this.#asked.set(index, this.add(index, signal))
      if (signal.aborted) this.#abort(index, signal)
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

/** Whether it was aborted already; one that is not made yet was not. */
export function isAborted(source: SignalSource | undefined): source is AbortSignal {
  return source instanceof AbortSignal && source.aborted
}

/** What it gives; where it throws or gives something else, the request is aborted with that as its reason. */
function signalOf(ask: Ask): AbortSignal {
  try {
    const signal: unknown = ask()
    if (signal instanceof AbortSignal) return signal
    return AbortSignal.abort(new TypeError('the function given as signal gave no AbortSignal'))
  } catch (error) {
    return AbortSignal.abort(error)
  }
}
