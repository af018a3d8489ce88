// Reads settled requests out of the memory shared with the core (native/addon/result_writer.h says how it is laid out) and
// answers their promises. It runs for every request.
import { MillraceError } from '../errors.ts'
import { inlineBytes, outcomes, visitsFollow } from '../native/addon.ts'
import type { BoundOutput, BoundPipeline, Source } from '../pipeline/bound-pipeline.ts'
import {
  elementFormats,
  type Tensor,
  type TensorData,
  type TensorType,
} from '../pipeline/tensor.ts'
import { causeOf } from './function-error.ts'
import type { PendingRequests } from './pending-requests.ts'
import { expired, retryAfterOf, shed } from './request-error.ts'

const headWords = 4
const headsCapacity = 1024
const leastPayloadBytes = 1 << 20

type Result = Record<string, Tensor>
type NumericArray = Exclude<TensorData, string[]>

/** An output and how to make a tensor of its bytes. */
interface OutputPort {
  readonly name: string
  readonly type: TensorType
  /** Undefined for strings. */
  readonly view: NumericArray | undefined
  readonly elementBytes: number
  /** Bytes of a row; -1 where its shape is open, and where what counts is items and not rows. */
  readonly rowBytes: number
  readonly rowElements: number
  readonly rowDims: readonly number[]
  readonly batched: boolean
  readonly perItem: boolean
  /** The dims of a result of one row, which are most: made once, frozen. */
  readonly oneRowDims: readonly number[]
}

export class ResultReader {
  readonly heads = new ArrayBuffer(headsCapacity * headWords * Int32Array.BYTES_PER_ELEMENT)
  readonly payload: ArrayBuffer
  readonly #heads = new Int32Array(this.heads)
  readonly #ports: readonly OutputPort[]
  readonly #stages: readonly string[]
  readonly #pending: PendingRequests
  /** Called for each request that a stage dropped; held by the core, as all of this, it must not lead to the engine. */
  onShed: (stage: string) => void = () => {}
  /** Called with what a request was through, before it is answered, where that is recorded; held likewise. */
  onVisits: (index: number, visits: Float64Array) => void = () => {}
  #extras: readonly unknown[] = []
  #nextExtra = 0

  constructor(bound: BoundPipeline, pending: PendingRequests) {
    this.payload = new ArrayBuffer(Math.max(leastPayloadBytes, bound.outputs.length * inlineBytes))
    this.#ports = bound.outputs.map((output) => toPort(output, bound, this.payload))
    this.#stages = bound.stages.map((stage) => stage.name)
    this.#pending = pending
  }

  /** For the core to hold: leads to this reader and to nothing else. */
  readonly onSettled = (count: number, extras: readonly unknown[] | undefined): void =>
    this.read(count, extras)

  /** Answers `count` requests. Called by the core, which then uses the memory again. */
  read(count: number, extras: readonly unknown[] | undefined): void {
    if (extras !== undefined) this.#extras = extras
    this.#nextExtra = 0
    const heads = this.#heads
    for (let at = 0; at < count * headWords; at += headWords) {
      const index = heads[at] as number
      const outcome = heads[at + 1] as number
      if (outcome === outcomes.completed) {
        this.#answer(index, heads[at + 2] as number, heads[at + 3] as number)
      } else if (outcome >= visitsFollow) {
        this.onVisits(index, this.#takeExtra() as Float64Array)
        heads[at + 1] = outcome - visitsFollow
        at -= headWords // once more, as any other
      } else {
        this.#pending.reject(index, this.#failure(outcome, heads[at + 2] as number))
      }
    }
    this.#extras = []
    this.#pending.delivered()
  }

  #answer(index: number, rows: number, offset: number): void {
    const result: Result = {}
    let at = offset
    let ragged: OutputPort | undefined
    for (const port of this.#ports) {
      const bytes = port.rowBytes * rows
      if (port.rowBytes >= 0 && bytes <= inlineBytes) {
        result[port.name] = inlineTensor(port, rows, at)
        at += (bytes + 7) & ~7
      } else {
        const tensor = this.#extraTensor(port, rows)
        // On to the next all the same: what belongs to other outputs and requests comes in order.
        if (tensor === undefined) ragged ??= port
        else result[port.name] = tensor
      }
    }
    if (ragged === undefined) this.#pending.resolve(index, result)
    else this.#pending.reject(index, raggedOutput(ragged))
  }

  #extraTensor(port: OutputPort, rows: number): Tensor | undefined {
    const data = this.#takeExtra() as ArrayBuffer | string[] | undefined
    const dims = (this.#takeExtra() as number[] | undefined) ?? dimsOf(port, rows)
    if (data === undefined) return undefined
    if (Array.isArray(data)) return { type: port.type, dims, data }
    const ArrayOfType = elementFormats[port.type].array as unknown as new (
      b: ArrayBuffer,
    ) => NumericArray
    return { type: port.type, dims, data: new ArrayOfType(data) }
  }

  #takeExtra(): unknown {
    return this.#extras[this.#nextExtra++]
  }

  #failure(outcome: number, nativeRetryMs: number): MillraceError {
    const text = this.#takeExtra() as string
    const stage = this.#stages[this.#takeExtra() as number] as string
    const cause = causeOf(this.#takeExtra() as string | undefined)
    switch (outcome) {
      case outcomes.deadlineExceeded:
        if (text === '') return expired()
        this.onShed(stage)
        return shed(stage, text)
      case outcomes.queueFull:
        this.onShed(stage)
        return new MillraceError({
          code: 'MILLRACE_QUEUE_FULL',
          message: `${text}; retry later, or raise maxPendingRows`,
          stage,
          retryAfterMs: retryAfterOf(nativeRetryMs),
        })
      case outcomes.closed:
        return new MillraceError({
          code: 'MILLRACE_CLOSED',
          message: 'the engine was closed before the request was answered; drain it before closing',
        })
      default:
        return new MillraceError({
          code: 'MILLRACE_STAGE_FAILED',
          message: `stage "${stage}" failed: ${text}`,
          stage,
          cause,
        })
    }
  }
}

function inlineTensor(port: OutputPort, rows: number, offset: number): Tensor {
  const first = offset / port.elementBytes
  const elements = port.rowElements * rows
  const view = port.view as NumericArray
  // A copy with a buffer of its own, which the receiver may change, keep or transfer.
  const data = view.slice(first, first + elements)
  return { type: port.type, dims: rows === 1 ? port.oneRowDims : dimsOf(port, rows), data }
}

function dimsOf(port: OutputPort, rows: number): readonly number[] {
  return port.batched ? [rows, ...port.rowDims] : [...port.rowDims]
}

function toPort(output: BoundOutput, bound: BoundPipeline, payload: ArrayBuffer): OutputPort {
  const batched = output.perItem || isBatchedSource(output.sources[0] as Source, bound)
  const rowDims = batched ? output.dims.slice(1) : output.dims
  const { bytes: elementBytes, array } = elementFormats[output.type]
  const rowElements = rowDims.reduce((product, dim) => product * dim, 1)
  const fixed = array !== undefined && !output.perItem && !rowDims.includes(-1)
  return {
    name: output.name,
    type: output.type,
    view: array && (new array(payload) as NumericArray),
    elementBytes,
    rowBytes: fixed ? rowElements * elementBytes : -1,
    rowElements,
    rowDims,
    batched,
    perItem: output.perItem,
    oneRowDims: Object.freeze(batched ? [1, ...rowDims] : [...rowDims]),
  }
}

function isBatchedSource(source: Source, bound: BoundPipeline): boolean {
  return source.kind === 'request' ? bound.batched : (bound.stages[source.stage]?.batched ?? true)
}

function raggedOutput({ name, perItem }: OutputPort): MillraceError {
  const [what, remedy] = perItem
    ? ['items', 'make them alike, or gather them in a stage of their own']
    : ['rows', 'send one row a request']
  return new MillraceError({
    code: 'MILLRACE_STAGE_FAILED',
    message: `the ${what} of output "${name}" have different shapes and do not make one tensor; ${remedy}`,
  })
}
