import { Worker } from 'node:worker_threads'
import { packageFile } from '../package-file.ts'
import { type AlarmSchedule, alarmCells } from './alarm-schedule.ts'

// Also when we run from src: a worker runs JavaScript only.
const entry = 'dist/engine/alarm-worker.js'

export interface AlarmOptions {
  /** Milliseconds from the start, ascending. */
  readonly timesMs: ArrayLike<number>
  /**
   * Called when times have come, once for all that came since the last call, with how many have; gives how many it has dealt
   * with: as many at least, and more where the clock has gone on.
   */
  readonly onRing: (come: number) => number
  readonly onError: (error: unknown) => void
}

/**
 * Rings on the event loop of this thread at given times, to a tenth of a millisecond, and takes neither the loop nor a core
 * until then: a thread of its own sleeps. Timers of the loop are good to a millisecond only.
 */
export class Alarm {
  readonly #worker: Worker
  readonly #cells = new Int32Array(
    new SharedArrayBuffer(alarmCells.count * Int32Array.BYTES_PER_ELEMENT),
  )
  readonly #startNs = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT))
  readonly #options: AlarmOptions

  private constructor(options: AlarmOptions) {
    this.#options = options
    const timesMs = new Float64Array(
      new SharedArrayBuffer(options.timesMs.length * Float64Array.BYTES_PER_ELEMENT),
    )
    timesMs.set(options.timesMs)
    const workerData: AlarmSchedule = { timesMs, cells: this.#cells, startNs: this.#startNs }
    // Flags of this process, such as a loader of TypeScript, are of no use there.
    this.#worker = new Worker(packageFile(entry), { workerData, execArgv: [], stdin: false })
  }

  /** Fulfils with an alarm that waits for {@link start}. */
  static async prepare(options: AlarmOptions): Promise<Alarm> {
    const alarm = new Alarm(options)
    await new Promise((resolve, reject) => {
      alarm.#worker.once('message', resolve).once('error', reject)
    })
    alarm.#worker.on('error', options.onError).on('message', () => alarm.#ring())
    return alarm
  }

  /** Times count from now, which it gives: as `performance.now()` has it. */
  start(): number {
    // In this order: the thread begins to count a little later than whoever called, and rings late rather than early.
    const startMs = performance.now()
    Atomics.store(this.#startNs, 0, process.hrtime.bigint())
    Atomics.store(this.#cells, alarmCells.started, 1)
    Atomics.notify(this.#cells, alarmCells.started)
    return startMs
  }

  /** Never rings again. */
  close(): void {
    void this.#worker.terminate()
  }

  #ring(): void {
    // First: what comes from now on rings anew.
    Atomics.store(this.#cells, alarmCells.rung, 0)
    const come = Atomics.load(this.#cells, alarmCells.come)
    Atomics.store(this.#cells, alarmCells.passed, this.#options.onRing(come))
  }
}
