import type { NativeEngine } from '../native/addon.ts'
import { readVisits, type VisitsReader } from './visits.ts'

/** Pending requests whose visits somebody wants to know, by the core's index of each. */
export class RecordedCalls {
  readonly #stages: readonly string[]
  readonly #readers = new Map<number, VisitsReader>()

  constructor(stages: readonly string[]) {
    this.#stages = stages
  }

  add(index: number, reader: VisitsReader): void {
    this.#readers.set(index, reader)
  }

  /** The request is settled; its promise is, next. For the core to hold: leads to those of pending requests only. */
  readonly settle = (index: number, numbers: Float64Array): void => {
    const reader = this.#readers.get(index)
    if (reader !== undefined) reader.visits = readVisits(numbers, this.#stages)
    this.#readers.delete(index)
  }

  /** As the core's `cancel`, which tells of no visits. */
  cancel(index: number, native: NativeEngine): boolean {
    const visits = this.#readers.has(index) ? native.visits(index) : undefined
    const cancelled = native.cancel(index)
    if (cancelled && visits !== undefined) this.settle(index, visits)
    return cancelled
  }
}
