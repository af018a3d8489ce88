// The workers of one js() stage: as many as are wanted, each replaced when it ends.
//
// A worker that ends before it has answered anything is replaced later and later; one that served is replaced at once.
// While the module cannot be opened at all, calls that find no worker fail with the reason.
import { MillraceError } from '../errors.ts'
import type { NativeFunction } from '../native/addon.ts'
import { revivedError } from './function-error.ts'
import { FunctionThread, type ThreadEnd } from './function-thread.ts'
import type { WorkerTask } from './function-worker.ts'

export interface CrewOptions {
  readonly stage: string
  readonly native: NativeFunction
  /** What a worker is given, but for its seat. */
  readonly task: WorkerTask
}

const firstDelayMs = 50
const longestDelayMs = 5_000

/** How long to wait before the next worker, after so many in a row that were of no use. Pure. */
export function replacementDelayMs(uselessInRow: number): number {
  return uselessInRow === 0 ? 0 : Math.min(firstDelayMs * 2 ** (uselessInRow - 1), longestDelayMs)
}

export class WorkerCrew {
  readonly #options: CrewOptions
  readonly #threads = new Map<number, FunctionThread>()
  #wanted = 0
  #lastSeat = 0
  #uselessInRow = 0
  #closed = false
  readonly #delays = new Set<NodeJS.Timeout>()

  constructor(options: CrewOptions) {
    this.#options = options
    options.native.watch((seat) => this.#threads.get(seat)?.end())
  }

  /**
   * Fulfils when that many workers more are open. Where one cannot be, none of them is.
   *
   * @throws {MillraceError} MILLRACE_STAGE_FAILED
   */
  async add(count: number): Promise<void> {
    const opened = await Promise.all(Array.from({ length: count }, () => this.#open()))
    const failed = opened.find((thread) => !(thread instanceof FunctionThread))
    if (failed === undefined && !this.#closed) {
      this.#wanted += count
      for (const thread of opened) this.#enlist(thread as FunctionThread)
      return
    }
    for (const thread of opened) if (thread instanceof FunctionThread) thread.end()
    if (failed !== undefined) throw this.#startError(failed as ThreadEnd)
    throw new MillraceError({ code: 'MILLRACE_CLOSED', message: 'the engine was closed meanwhile' })
  }

  /** Ends as many workers, idle ones; those missing are not replaced. */
  remove(count: number): void {
    this.#wanted -= count
    while (this.#threads.size > this.#wanted) {
      const seat = this.#options.native.retireIdle()
      const thread = seat === undefined ? undefined : this.#threads.get(seat)
      // Busy, all of them, can only be those that nobody waits for any more.
      if (!this.#dismiss(thread ?? [...this.#threads.values()][0])) return
    }
  }

  get size(): number {
    return this.#wanted
  }

  /** Ends all workers, whatever they do; fulfils when they are gone. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wanted = 0
    this.#options.native.watch(undefined)
    for (const delay of this.#delays) clearTimeout(delay)
    const threads = [...this.#threads.values()]
    for (const thread of threads) this.#dismiss(thread)
    await Promise.all(threads.map((thread) => thread.whenEnded()))
  }

  #open(): Promise<FunctionThread | ThreadEnd> {
    const { task } = this.#options
    const served = { ...task.served, seat: ++this.#lastSeat }
    return FunctionThread.open({ ...task, served })
  }

  #enlist(thread: FunctionThread): void {
    this.#threads.set(thread.seat, thread)
    void thread.whenEnded().then((end) => this.#onEnd(thread, end))
  }

  #dismiss(thread: FunctionThread | undefined): boolean {
    if (thread === undefined) return false
    this.#threads.delete(thread.seat)
    thread.end()
    return true
  }

  #onEnd(thread: FunctionThread, { message, cause }: ThreadEnd): void {
    const detail = cause && JSON.stringify(cause)
    const answered = this.#options.native.explain(thread.seat, message, detail)
    if (!this.#threads.delete(thread.seat)) return // it was sent away
    this.#uselessInRow = answered > 0 ? 0 : this.#uselessInRow + 1
    this.#replaceLater()
  }

  #replaceLater(): void {
    if (this.#closed || this.#threads.size + this.#delays.size >= this.#wanted) return
    const delay = setTimeout(() => {
      void this.#replace().finally(() => this.#delays.delete(delay))
    }, replacementDelayMs(this.#uselessInRow))
    delay.unref()
    this.#delays.add(delay)
  }

  async #replace(): Promise<void> {
    const { native } = this.#options
    const thread = await this.#open().catch((error: Error): ThreadEnd => {
      return { message: error.message, cause: undefined }
    })
    if (!(thread instanceof FunctionThread)) {
      native.setFailure(thread.message, thread.cause && JSON.stringify(thread.cause))
      this.#uselessInRow++
      this.#replaceAfterThis()
      return
    }
    if (this.#closed || this.#threads.size >= this.#wanted) return thread.end()
    native.setFailure(undefined, undefined)
    this.#enlist(thread)
  }

  /** Once the attempt under way no longer counts. */
  #replaceAfterThis(): void {
    setImmediate(() => this.#replaceLater()).unref()
  }

  #startError({ message, cause }: ThreadEnd): MillraceError {
    const { stage } = this.#options
    return new MillraceError({
      code: 'MILLRACE_STAGE_FAILED',
      message: `stage "${stage}" does not start: ${message}`,
      stage,
      cause: cause && revivedError(cause),
    })
  }
}
