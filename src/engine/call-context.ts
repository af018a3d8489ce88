import { setMaxListeners } from 'node:events'
import type { FunctionContext } from '../pipeline/stage-function.ts'

/** What a function is told of its call. The signal is made when it is first asked for: most never are. */
export class CallContext implements FunctionContext {
  readonly rows: number
  readonly deadlineMs: number
  readonly state: unknown
  #controller: AbortController | undefined
  #aborted = false

  constructor(given: Omit<FunctionContext, 'signal'>) {
    this.rows = given.rows
    this.deadlineMs = given.deadlineMs
    this.state = given.state
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      // One signal for all rows of a call: each of them may listen.
      setMaxListeners(0, this.#controller.signal)
      if (this.#aborted) this.#controller.abort()
    }
    return this.#controller.signal
  }

  get aborted(): boolean {
    return this.#aborted
  }

  abort(): void {
    this.#aborted = true
    this.#controller?.abort()
  }
}
