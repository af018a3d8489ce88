// Runs a function for the calls of a port: makes its inputs, awaits what it returns, and answers. The same for a worker
// and for the event loop. Whatever the function does, each call is answered once and nothing is thrown here.
import type { Addon, NativePort } from '../native/addon.ts'
import type { StageFunction } from '../pipeline/stage-function.ts'
import type { ModelSignature } from '../pipeline/tensor-spec.ts'
import { CallContext } from './call-context.ts'
import { plainError, summaryOf } from './function-error.ts'
import { FunctionInputReader } from './function-inputs.ts'
import { FunctionOutputError, FunctionOutputWriter, type OutputValue } from './function-outputs.ts'

/** What a function needs to be served; all but the function can be sent to a worker. */
export interface ServedFunction {
  /** `NativeFunction.id`. */
  readonly functionId: number
  readonly seat: number
  readonly capacity: number
  readonly replaceable: boolean
  readonly signature: Pick<ModelSignature, 'inputs' | 'outputs'>
  /** Whether a call of the function is given all rows, or one. */
  readonly batched: boolean
  /** What messages call it. */
  readonly label: string
}

interface Call {
  readonly id: number
  readonly rows: number
  readonly context: CallContext
}

/** A row of a call, or what became of it. */
type RowResult = readonly OutputValue[] | Failure

interface Failure {
  readonly message: string
  readonly detail: string | undefined
}

/** Rows of a call on their way: those that have a result are done. */
interface RowRun {
  readonly call: Call
  readonly inputsOf: (row: number) => Parameters<StageFunction>[0]
  readonly results: RowResult[]
}

const unwanted: Failure = { message: 'nobody waits for it any more', detail: undefined }

export class FunctionServer {
  readonly #served: ServedFunction
  readonly #run: StageFunction
  readonly #state: unknown
  readonly #inputs: FunctionInputReader
  readonly #outputs: FunctionOutputWriter
  /** Calls that have not been answered because the function awaits something. */
  readonly #awaiting = new Map<number, CallContext>()
  readonly #port: NativePort | undefined

  constructor(served: ServedFunction, given: { addon: Addon; run: StageFunction; state: unknown }) {
    this.#served = served
    this.#run = given.run
    this.#state = given.state
    this.#inputs = new FunctionInputReader(served.signature.inputs)
    this.#outputs = new FunctionOutputWriter(served.signature.outputs)
    this.#port = given.addon.openPort({
      function: served.functionId,
      seat: served.seat,
      capacity: served.capacity,
      replaceable: served.replaceable,
      onCall: (id, rows, leftMs, values) => this.#serve({ id, rows, leftMs }, values),
      onAbort: (id) => this.#awaiting.get(id)?.abort(),
    })
  }

  close(): void {
    this.#port?.close()
  }

  #serve(
    { id, rows, leftMs }: { id: number; rows: number; leftMs: number },
    values: readonly unknown[],
  ): void {
    const { batched } = this.#served
    const context = new CallContext({
      rows: batched ? rows : 1,
      deadlineMs: leftMs,
      state: this.#state,
    })
    const call = { id, rows, context }
    try {
      if (batched) this.#serveBatch(call, values)
      else this.#serveRows(call, values)
    } catch (error) {
      this.#fail(call, error)
    }
  }

  #serveBatch(call: Call, values: readonly unknown[]): void {
    const run = this.#run // on its own, or `this` would be ours
    const returned: unknown = run(this.#inputs.batch(values, call.rows), call.context)
    if (!isThenable(returned)) {
      this.#answerBatch(call, returned)
      return
    }
    this.#awaiting.set(call.id, call.context)
    Promise.resolve(returned).then(
      (result) => this.#settle(call, () => this.#answerBatch(call, result)),
      (error: unknown) => this.#settle(call, () => this.#fail(call, error)),
    )
  }

  #answerBatch(call: Call, returned: unknown): void {
    const outputs = this.#outputs.ofBatch(returned, call.rows)
    this.#port?.answer(call.id, call.rows, outputs, undefined)
  }

  #serveRows(call: Call, values: readonly unknown[]): void {
    const inputsOf = this.#inputs.rows(values, call.rows)
    const results: RowResult[] = []
    const rest = this.#runRows({ call, inputsOf, results })
    if (rest === undefined) {
      this.#answerRows(call, results)
      return
    }
    this.#awaiting.set(call.id, call.context)
    void rest.then(() => this.#settle(call, () => this.#answerRows(call, results)))
  }

  // One row after the other: a function need not expect to be called while it waits. A promise only from the first row
  // on that has to be awaited.
  #runRows(run: RowRun): Promise<void> | undefined {
    const { call, inputsOf, results } = run
    while (results.length < call.rows) {
      if (call.context.aborted) {
        results.push(unwanted)
        continue
      }
      const result = this.#runRow(inputsOf(results.length), call.context)
      if (result instanceof Promise) {
        return result.then((settled) => {
          results.push(settled)
          return this.#runRows(run)
        })
      }
      results.push(result)
    }
    return undefined
  }

  #runRow(
    inputs: Parameters<StageFunction>[0],
    context: CallContext,
  ): RowResult | Promise<RowResult> {
    const run = this.#run
    try {
      const returned: unknown = run(inputs, context)
      if (!isThenable(returned)) return this.#outputs.row(returned)
      return Promise.resolve(returned).then(
        (result) => this.#checkRow(result),
        (error: unknown) => this.#failure(error),
      )
    } catch (error) {
      return this.#failure(error)
    }
  }

  #checkRow(returned: unknown): RowResult {
    try {
      return this.#outputs.row(returned)
    } catch (error) {
      return this.#failure(error)
    }
  }

  #answerRows(call: Call, results: readonly RowResult[]): void {
    const rows = results.map((result) => (isFailure(result) ? undefined : result))
    const failed = results.flatMap((result, row) =>
      isFailure(result) ? [row, result.message, result.detail] : [],
    )
    const outputs = this.#outputs.ofRows(rows)
    this.#port?.answer(call.id, call.rows, outputs, failed.length === 0 ? undefined : failed)
  }

  #settle(call: Call, answer: () => void): void {
    this.#awaiting.delete(call.id)
    try {
      answer()
    } catch (error) {
      this.#fail(call, error)
    }
  }

  #fail(call: Call, error: unknown): void {
    const { message, detail } = this.#failure(error)
    this.#port?.fail(call.id, message, detail)
  }

  #failure(error: unknown): Failure {
    const { label } = this.#served
    if (error instanceof FunctionOutputError) {
      return { message: `${label}: ${error.message}`, detail: undefined }
    }
    const plain = plainError(error)
    return { message: `${label} ${summaryOf(plain)}`, detail: JSON.stringify(plain) }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

function isFailure(result: RowResult): result is Failure {
  return !Array.isArray(result)
}
