import type { NativeEngine } from '../native/addon.ts'
import type { InferMessage } from './infer-channel.ts'
import { readVisits } from './visits.ts'

/** Pending requests whose visits somebody wants to know, by the core's index of each. */
export class RecordedCalls {
  readonly #stages: readonly string[]
  readonly #messages = new Map<number, InferMessage>()

  constructor(stages: readonly string[]) {
    this.#stages = stages
  }

  add(index: number, message: InferMessage): void {
    this.#messages.set(index, message)
  }

  /** The request is settled; its promise is, next. For the core to hold: leads to messages of pending requests only. */
  readonly settle = (index: number, numbers: Float64Array): void => {
    const message = this.#messages.get(index)
    if (message !== undefined) message.visits = readVisits(numbers, this.#stages)
    this.#messages.delete(index)
  }

  /** As the core's `cancel`, which tells of no visits. */
  cancel(index: number, native: NativeEngine): boolean {
    const visits = this.#messages.has(index) ? native.visits(index) : undefined
    const cancelled = native.cancel(index)
    if (cancelled && visits !== undefined) this.settle(index, visits)
    return cancelled
  }
}
