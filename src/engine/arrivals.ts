import { checkInteger, checkObject, describe } from '../check.ts'
import { type Clock, nowMs } from '../clock.ts'
import { MillraceError } from '../errors.ts'

/** How arrivals are recorded. */
export interface RecordOptions {
  /**
   * Arrivals that are kept, from 1 to 100,000,000, of 8 bytes each; later ones are left out. Memory is taken as they come.
   * Default 1,000,000.
   */
  readonly maxArrivals?: number | undefined
}

/** When requests arrived. */
export interface RecordedArrivals {
  /** Milliseconds from the start of the recording, ascending. */
  readonly arrivalsMs: Float64Array
  /** Milliseconds that were recorded: until it was stopped, or until the first arrival that was left out. */
  readonly durationMs: number
  /** Whether arrivals were left out, since there were more than `maxArrivals`. */
  readonly truncated: boolean
}

/** Writes down arrivals until it is stopped. */
export interface ArrivalRecording {
  /** Ends the recording; called again, it gives the same. */
  stop(): RecordedArrivals
}

const mostArrivals = 100_000_000
const defaultMaxArrivals = 1_000_000
const chunkArrivals = 8192

/** Has somebody told of arrivals until it is stopped. */
export interface ArrivalWatch {
  /** Ends it; may be called again. */
  stop(): void
}

/** Tells the recordings of an engine, and those who watch it, when a request arrives. */
export class Arrivals {
  readonly #clock: Clock
  /** Undefined while there is none: then an arrival costs no more than to see that. */
  #recordings: readonly Recording[] | undefined
  /** Undefined while there is none, too. */
  #tell: (() => void) | undefined
  #watchers: readonly { readonly listener: () => void }[] = []

  constructor(clock: Clock = nowMs) {
    this.#clock = clock
  }

  /** A request arrives, now. */
  count(): void {
    if (this.#recordings !== undefined) this.#write(this.#recordings)
    if (this.#tell === undefined) return
    try {
      this.#tell()
    } catch (error) {
      throwLater(error)
    }
  }

  /** @throws {MillraceError} MILLRACE_INVALID_OPTION */
  watch(listener: () => void): ArrivalWatch {
    if (typeof listener !== 'function') {
      throw new MillraceError({
        code: 'MILLRACE_INVALID_OPTION',
        message: `watchArrivals: expected a function, got ${describe(listener)}; give one`,
      })
    }
    // Of its own, so that the same listener may watch twice.
    const watcher = { listener }
    this.#setWatchers([...this.#watchers, watcher])
    return { stop: () => this.#setWatchers(this.#watchers.filter((one) => one !== watcher)) }
  }

  /** @throws {MillraceError} MILLRACE_INVALID_OPTION */
  record(options: RecordOptions): ArrivalRecording {
    const given = checkObject(options, { name: 'record options', keys: ['maxArrivals'] })
    const { maxArrivals = defaultMaxArrivals } = given
    const limit = checkInteger(maxArrivals, { name: 'maxArrivals', min: 1, max: mostArrivals })
    const recording = new Recording(limit, this.#clock())
    this.#recordings = [...(this.#recordings ?? []), recording]
    let recorded: RecordedArrivals | undefined
    return {
      stop: () => {
        recorded ??= this.#end(recording)
        return recorded
      },
    }
  }

  #setWatchers(watchers: readonly { readonly listener: () => void }[]): void {
    this.#watchers = watchers
    const [first, ...others] = watchers
    // One alone, which is the rule, is called without a loop.
    this.#tell = others.length === 0 ? first?.listener : () => tellAll(watchers)
  }

  #write(recordings: readonly Recording[]): void {
    const now = this.#clock()
    for (const recording of recordings) recording.add(now)
  }

  #end(recording: Recording): RecordedArrivals {
    const others = this.#recordings?.filter((one) => one !== recording) ?? []
    this.#recordings = others.length === 0 ? undefined : others
    return recording.end(this.#clock())
  }
}

/** One that throws keeps nobody else from anything. */
function tellAll(watchers: readonly { readonly listener: () => void }[]): void {
  for (const { listener } of watchers) {
    try {
      listener()
    } catch (error) {
      throwLater(error)
    }
  }
}

/** Uncaught, and no failure of the request that arrived. */
function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}

class Recording {
  readonly #maxArrivals: number
  readonly #startMs: number
  /** Filled one after the other; not one that grows, which would have to be copied while requests come. */
  readonly #chunks: Float64Array[] = []
  #count = 0
  /** When the first arrival came that was left out. */
  #fullMs: number | undefined

  constructor(maxArrivals: number, startMs: number) {
    this.#maxArrivals = maxArrivals
    this.#startMs = startMs
  }

  add(nowMs: number): void {
    if (this.#count === this.#maxArrivals) {
      this.#fullMs ??= nowMs
      return
    }
    const at = this.#count++ % chunkArrivals
    if (at === 0) this.#chunks.push(new Float64Array(chunkArrivals))
    const chunk = this.#chunks.at(-1)
    if (chunk !== undefined) chunk[at] = nowMs - this.#startMs
  }

  end(nowMs: number): RecordedArrivals {
    const arrivalsMs = new Float64Array(this.#count)
    this.#chunks.forEach((chunk, index) => {
      const from = index * chunkArrivals
      arrivalsMs.set(chunk.subarray(0, this.#count - from), from)
    })
    return {
      arrivalsMs,
      durationMs: (this.#fullMs ?? nowMs) - this.#startMs,
      truncated: this.#fullMs !== undefined,
    }
  }
}
