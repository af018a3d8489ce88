// One stage in an engine of its own, with one replica unless said otherwise, run batch after batch.
import { setTimeout } from 'node:timers/promises'
import { MillraceError } from '../errors.ts'
import { aloneName, type LoneStage } from './lone-stage.ts'
import { type MeasuringEngine, type RunTerms, residentMb, withEngine } from './measuring-engine.ts'
import { bytesOf, haveOneShape, type Row, stackRows } from './recorded-rows.ts'

/** How long rows are held back until they make a batch: long enough for those on their way; in vain where shapes differ. */
const holdMs = 20
const budgetBytes = 64 << 20
const mostPendingRows = 4096
/** Different batches that are made of the recorded rows. */
const mostTurns = 16
const moreReplicas = 2
/** For a thread to fall asleep, at least; timers cannot do less. */
const leastRestMs = 1
/** Who keeps a stage busy, and how many batches each sends at once at most. */
const clients = 4
const mostAtOnce = 256

export interface BenchOptions {
  readonly lone: LoneStage
  /** Rows, or whole tensors where the stage takes those; at least one. */
  readonly rows: readonly Row[]
  /** Whether `rows` are whole tensors. */
  readonly whole: boolean
  readonly tier: string
  readonly largestBatch: number
}

/** One batch. */
export interface BatchRun {
  readonly serviceMs: number
}

/** Many batches. */
export interface BusyRun {
  readonly batches: number
  /** Mean service time. */
  readonly meanMs: number
}

/** Since the engine started. */
interface Totals {
  readonly rows: number
  readonly batches: number
  readonly serviceMs: number
}

/** Runs `use` with the stage alone, and closes it whatever happens. */
export function withBench<Result>(
  options: BenchOptions,
  terms: RunTerms,
  use: (bench: StageBench) => Promise<Result>,
): Promise<Result> {
  const { lone, tier, largestBatch } = options
  const rowBytes = Math.max(1, ...options.rows.map(bytesOf))
  const room = Math.min(mostPendingRows, Math.floor(budgetBytes / rowBytes))
  const maxPendingRows = Math.max(4 * largestBatch, room)
  const configuration = { [aloneName]: { tier, replicas: 1, maxBatch: 1, maxDelayMs: holdMs } }
  return withEngine(lone.pipeline, { configuration, maxPendingRows, terms }, (engine, loadedMb) =>
    use(new StageBench(engine, { ...options, loadedMb, maxPendingRows })),
  )
}

export class StageBench {
  readonly #engine: MeasuringEngine
  readonly #options: BenchOptions & { readonly maxPendingRows: number }
  /** Resident megabytes that starting it took. */
  readonly loadedMb: number
  readonly #oneShape: boolean
  #batch = 1
  #turns: readonly (readonly Row[])[] = []
  #turn = 0

  constructor(
    engine: MeasuringEngine,
    options: BenchOptions & { readonly loadedMb: number; readonly maxPendingRows: number },
  ) {
    this.#engine = engine
    this.#options = options
    this.loadedMb = options.loadedMb
    this.#oneShape = haveOneShape(options.rows)
  }

  /** Batches of that many rows from now on, by so many replicas. */
  async setUp(batch: number, replicas = 1): Promise<void> {
    await this.#engine.apply({ [aloneName]: { maxBatch: batch, replicas } })
    this.#batch = batch
    this.#turns = this.#makeTurns(batch)
  }

  /** Service time of one batch; undefined where the rows did not make one. */
  async run(): Promise<BatchRun | undefined> {
    const before = this.#stats()
    await this.#send(this.#turns[this.#turn++ % this.#turns.length] as readonly Row[])
    const after = this.#stats()
    const whole = after.batches - before.batches === 1 && after.rows - before.rows === this.#batch
    return whole ? { serviceMs: after.serviceMs - before.serviceMs } : undefined
  }

  /** The same after a rest as long as that batch takes, as in a stage that is busy for half of the time. */
  async runRested(restMs: number): Promise<BatchRun | undefined> {
    await setTimeout(Math.max(leastRestMs, restMs))
    return this.run()
  }

  /** Resident megabytes of a replica beside the first. */
  async replicaMb(): Promise<number> {
    const beforeMb = residentMb()
    await this.setUp(1, 1 + moreReplicas)
    await this.keepBusy(4 * moreReplicas)
    return (residentMb() - beforeMb) / moreReplicas
  }

  /** Batches on all replicas for so long, with always more of them waiting. */
  async saturate(forMs: number): Promise<BusyRun> {
    const parts = Math.max(1, Math.min(mostAtOnce, Math.floor(this.#mostBatches / clients)))
    const requests = this.#burst(parts)
    const before = this.#stats()
    const beganMs = performance.now()
    const client = async (): Promise<void> => {
      do await this.#send(requests)
      while (performance.now() - beganMs < forMs)
    }
    await Promise.all(Array.from({ length: clients }, client))
    return this.#since(before)
  }

  /** That many batches, or as many as may wait at once, one after the other on all replicas. */
  async keepBusy(wanted: number): Promise<void> {
    const batches = Math.max(1, Math.min(wanted, this.#mostBatches))
    await this.#send(this.#burst(batches))
  }

  #since(before: Totals): BusyRun {
    const after = this.#stats()
    const batches = after.batches - before.batches
    return { batches, meanMs: (after.serviceMs - before.serviceMs) / batches }
  }

  get #mostBatches(): number {
    return Math.max(1, Math.floor(this.#options.maxPendingRows / this.#batch))
  }

  // Requests of many batches where rows can be stacked: then this thread rests while they run.
  #burst(batches: number): readonly Row[] {
    const rows = this.#pick(0, batches * this.#batch)
    return this.#stackable && this.#oneShape
      ? [this.#request(stackRows(rows))]
      : Array.from({ length: batches }, (_, at) => this.#turns[at % this.#turns.length]).flatMap(
          (turn) => turn ?? [],
        )
  }

  get #stackable(): boolean {
    const { lone, whole } = this.#options
    return lone.batched && !lone.raggedOutputs && !whole
  }

  #makeTurns(batch: number): readonly (readonly Row[])[] {
    const { lone, rows, whole } = this.#options
    const turns = Math.min(mostTurns, rows.length)
    return Array.from({ length: turns }, (_, turn) => {
      if (whole) return [this.#request(rows[turn] as Row)]
      const mixed = this.#oneShape || lone.mixed
      const picked = mixed ? this.#pick(turn * batch, batch) : this.#repeat(turn, batch)
      const stacked = this.#stackable && (this.#oneShape || !mixed)
      const parts = stacked ? [picked] : picked.map((row) => [row])
      return parts.map((part) => this.#request(stackRows(part)))
    })
  }

  #pick(from: number, count: number): readonly Row[] {
    const { rows } = this.#options
    return Array.from({ length: count }, (_, at) => rows[(from + at) % rows.length] as Row)
  }

  #repeat(turn: number, count: number): readonly Row[] {
    const { rows } = this.#options
    const step = Math.max(1, Math.floor(rows.length / mostTurns))
    return new Array<Row>(count).fill(rows[(turn * step) % rows.length] as Row)
  }

  #request(row: Row): Row {
    return this.#options.lone.requestOf(row)
  }

  async #send(requests: readonly Row[]): Promise<void> {
    try {
      await (requests.length === 1
        ? this.#engine.infer(requests[0] as Row)
        : this.#engine.inferMany(requests))
    } catch (error) {
      throw this.#failure(error)
    }
  }

  #failure(error: unknown): unknown {
    if (!MillraceError.is(error) || error.code !== 'MILLRACE_STAGE_FAILED') return error
    const stage = this.#options.lone.name
    return new MillraceError({
      code: error.code,
      message: `stage "${stage}", profiled with batches of ${this.#batch}: ${error.message}`,
      stage,
      cause: error,
    })
  }

  #stats(): Totals {
    const { rows, batches, serviceMs } = this.#engine.stats().stages[aloneName] as NonNullable<
      ReturnType<MeasuringEngine['stats']>['stages'][string]
    >
    return { rows, batches, serviceMs: serviceMs.count * serviceMs.mean }
  }
}
