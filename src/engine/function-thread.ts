// One worker thread of a js() stage, run by a tinypool of its own: opened once, then served by the core directly, until it
// ends by itself or is told to.
import { existsSync } from 'node:fs'
import type Tinypool from 'tinypool'
import { MillraceError } from '../errors.ts'
import { packageFile } from '../package-file.ts'
import { type PlainError, plainError, summaryOf } from './function-error.ts'
import type { WorkerOpening, WorkerTask } from './function-worker.ts'
import { workerFlags } from './worker-flags.ts'

/** Why a worker is no more, or never came to be. */
export interface ThreadEnd {
  readonly message: string
  readonly cause: PlainError | undefined
}

// Also when we run from src: a worker runs JavaScript only.
const entry = 'dist/engine/function-worker.js'

export class FunctionThread {
  readonly seat: number
  readonly #label: string
  readonly #pool: Tinypool
  readonly #ended: Promise<ThreadEnd>
  #hasEnded = false
  /** What was thrown where nobody caught it. */
  #uncaught: PlainError | undefined

  private constructor(pool: Tinypool, { seat, label }: { seat: number; label: string }) {
    this.seat = seat
    this.#label = label
    this.#pool = pool
    // Uncaught errors of the worker; without a listener they would be uncaught here.
    pool.on('error', (error: unknown) => {
      this.#uncaught ??= plainError(error)
    })
    this.#ended = this.#whenEnded()
  }

  /** Starts a thread and opens the module in it. Where that fails, the thread is gone. */
  static async open(task: WorkerTask): Promise<FunctionThread | ThreadEnd> {
    const { default: Pool } = await import('tinypool')
    const pool = new Pool({
      filename: checkedEntry(),
      name: 'openWorker',
      minThreads: 1,
      maxThreads: 1,
      // A worker that waits for work must go round its event loop, where the core's calls arrive.
      useAtomics: false,
      execArgv: workerFlags(process.execArgv),
    })
    const thread = new FunctionThread(pool, task.served)
    // A process.exit() in the module leaves the task pending for ever.
    const opening = await Promise.race([thread.#run(task), thread.#ended])
    if (opening === undefined) {
      thread.#serve(task)
      return thread
    }
    thread.end()
    return opening
  }

  // Not awaited: its first call may end the worker, which then has served, and did not fail to start.
  #serve({ served }: WorkerTask): void {
    this.#pool.run(served, { name: 'serve' }).catch(() => this.end())
  }

  /** Fulfils when the thread is gone, however that came. */
  whenEnded(): Promise<ThreadEnd> {
    return this.#ended
  }

  /** Interrupts whatever it does. */
  end(): void {
    if (this.#hasEnded) return
    // Where the thread ends by itself meanwhile, destroy() waits for ever: whenEnded() tells.
    void this.#pool.destroy()
  }

  async #run(task: WorkerTask): Promise<ThreadEnd | undefined> {
    try {
      return (await this.#pool.run(task)) as WorkerOpening | undefined
    } catch (error) {
      const cause = plainError(error)
      return { message: `${this.#label} ${summaryOf(cause)}`, cause }
    }
  }

  #whenEnded(): Promise<ThreadEnd> {
    const thread = this.#pool.threads[0] as unknown as WorkerEvents
    return new Promise((resolve) => {
      thread.on('error', (error: unknown) => {
        this.#uncaught ??= plainError(error)
      })
      thread.on('exit', (code: unknown) => {
        this.#hasEnded = true
        // tinypool does not notice by itself, and would keep its side of the thread.
        void this.#pool.destroy()
        resolve(this.#describeEnd(code))
      })
    })
  }

  #describeEnd(code: unknown): ThreadEnd {
    const cause = this.#uncaught
    const reason =
      cause === undefined ? `exited with code ${String(code)}` : `died: it ${summaryOf(cause)}`
    return { message: `the worker that ran ${this.#label} ${reason}`, cause }
  }
}

/** What tinypool's threads are, as far as we need to know. */
interface WorkerEvents {
  on(event: 'error' | 'exit', listener: (value: unknown) => void): void
}

function checkedEntry(): string {
  const path = packageFile(entry)
  if (existsSync(path)) return path
  throw new MillraceError({
    code: 'MILLRACE_NATIVE_LOAD',
    message: `expected the code of workers at ${path}, found nothing; build it with: npm run setup`,
  })
}
