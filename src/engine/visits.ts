// What a request was through, out of the numbers of the core (native/addon/visits_writer.h).
import { visitStates } from '../native/addon.ts'

/** What a request was through, as far as it came. */
export interface RequestVisits {
  /** When the core took the request, on the clock of `process.hrtime()`; the other times count from here. */
  readonly submittedAt: readonly [seconds: number, nanoseconds: number]
  /** When it was settled, in nanoseconds; undefined where that had not happened yet (a request that is cancelled). */
  readonly settledNs: number | undefined
  /** How many rows it has. */
  readonly rows: number
  /** At most 256, in the order in which they began; rows and items one by one. */
  readonly visits: readonly StageVisit[]
  /** How many visits there was no room for. */
  readonly leftOut: number
}

/** Who is told what a request was through, when it is settled. */
export interface VisitsReader {
  visits?: RequestVisits
}

/** A row at a stage. A stage that was skipped for a row, by its condition, was not visited. */
export interface StageVisit {
  /** Name of the stage. */
  readonly stage: string
  /** Which row of the request, from 0. */
  readonly row: number
  /** Which of the items that a fan-out stage made of the row, from 0; undefined for a row itself. */
  readonly item: number | undefined
  /** What became of it there. */
  readonly state: VisitState
  /** When it came to the stage. */
  readonly queuedNs: number
  /** When a replica first began a batch with it; undefined where that did not happen. */
  readonly beganNs: number | undefined
  /** When it was done with; undefined while it is `waiting` or `running`. */
  readonly endedNs: number | undefined
  /** How many times it was run: more than once where others of its batch failed. */
  readonly attempts: number
  /** The last of the batches it was run in; undefined where it was not, and while it is running. */
  readonly batch: VisitBatch | undefined
}

/**
 * What became of a row at a stage. `ran`, `failed`: it was run, and that went well or not. `waiting`, `running`: when the
 * request was settled. `skipped`: dropped, since its request was settled. `shed`: its deadline could not be met any more.
 * `refused`: the queue was full. `interrupted`: nobody waited for its batch any more. `hit`: the cache had the result.
 * `shared`: an equal row was on its way.
 *
 * @useDeclaredType
 */
export type VisitState = keyof typeof visitStates

/** A run of a batch. */
export interface VisitBatch {
  /** Tells the batches of an engine apart: they are numbered from 1. */
  readonly id: number
  /** Its rows, those of other requests among them. */
  readonly rows: number
  /** When it began, in nanoseconds from `submittedAt` of the request. */
  readonly beganNs: number
  /** Which replica of the stage ran it, from 0. */
  readonly replica: number
  /** Threads of the model on that replica. */
  readonly threads: number
}

const headNumbers = 6
const visitNumbers = 13

const states = new Map<number, VisitState>(
  Object.entries(visitStates).map(([name, value]) => [value, name as VisitState]),
)

export function readVisits(numbers: Float64Array, stages: readonly string[]): RequestVisits {
  const [seconds = 0, nanoseconds = 0, settled = -1, rows = 0, count = 0, total = 0] = numbers
  return {
    submittedAt: [seconds, nanoseconds],
    settledNs: known(settled),
    rows,
    visits: Array.from({ length: count }, (_, index) => {
      const from = headNumbers + index * visitNumbers
      return readVisit(numbers.subarray(from, from + visitNumbers), stages)
    }),
    leftOut: total - count,
  }
}

function readVisit(numbers: Float64Array, stages: readonly string[]): StageVisit {
  const [stage = 0, row = 0, item = -1, state = 0, queuedNs = 0, began = -1, ended = -1] = numbers
  return {
    stage: stages[stage] as string,
    row,
    item: known(item),
    state: states.get(state) as VisitState,
    queuedNs,
    beganNs: known(began),
    endedNs: known(ended),
    attempts: numbers[7] as number,
    batch: readBatch(numbers.subarray(8)),
  }
}

function readBatch(numbers: Float64Array): VisitBatch | undefined {
  const [id = 0, rows = 0, beganNs = 0, replica = 0, threads = 0] = numbers
  return id === 0 ? undefined : { id, rows, beganNs, replica, threads }
}

function known(number: number): number | undefined {
  return number < 0 ? undefined : number
}
