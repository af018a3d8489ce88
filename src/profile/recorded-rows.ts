// What a stage was given while the samples ran, row by row, and batches made of it.
import type { FunctionInputs } from '../pipeline/stage-function.ts'
import {
  elementFormats,
  type Tensor,
  type TensorData,
  type TensorType,
} from '../pipeline/tensor.ts'

type NumericArray = Exclude<TensorData, string[]>

/** One row: a tensor an input, without the dimension that counts rows; or whole tensors, of a stage that takes those. */
export type Row = Readonly<Record<string, Tensor>>

const mostRows = 256
const mostBytes = 64 << 20

/** A sample of the rows that come, each as likely to be in it as any other; the same for the same seed. */
export class RecordedRows {
  readonly #rows: Row[] = []
  readonly #random: () => number
  #room = mostRows
  #met = 0

  constructor(seed: number) {
    this.#random = randomFrom(seed)
  }

  /** All rows of a call; their memory is copied where it is kept. */
  add(inputs: FunctionInputs, rows: number): void {
    for (let row = 0; row < rows; row++) this.addRow(() => rowOf(inputs, row))
  }

  /** One row, asked for only if it is kept. */
  addRow(row: () => Row): void {
    this.#met++
    if (this.#rows.length < this.#room) {
      this.#rows.push(row())
      if (this.#rows.length === 1) this.#room = roomFor(this.#rows[0] as Row)
      return
    }
    const place = Math.floor(this.#random() * this.#met) // algorithm R, Vitter 1985
    if (place < this.#room) this.#rows[place] = row()
  }

  get rows(): readonly Row[] {
    return this.#rows
  }
}

/** Whether the rows have one shape, so that different ones make a tensor. */
export function haveOneShape(rows: readonly Row[]): boolean {
  const shapes = rows.map((row) => JSON.stringify(Object.values(row).map(({ dims }) => dims)))
  return shapes.every((shape) => shape === shapes[0])
}

/** Rows of one shape as one request: tensors whose first dimension counts them. */
export function stackRows(rows: readonly Row[]): Row {
  const [first = {}] = rows
  const inputs = Object.keys(first).map((name) => {
    return [name, stack(rows.map((row) => row[name] as Tensor))] as const
  })
  return Object.fromEntries(inputs)
}

/** Bytes of a row; of strings, their characters. */
export function bytesOf(row: Row): number {
  return Object.values(row).reduce((sum, { data }) => {
    return sum + (Array.isArray(data) ? data.join('').length : data.byteLength)
  }, 0)
}

function roomFor(row: Row): number {
  return Math.min(mostRows, Math.max(1, Math.floor(mostBytes / Math.max(1, bytesOf(row)))))
}

function rowOf(inputs: FunctionInputs, row: number): Row {
  const values = Object.entries(inputs).map(([name, { type, dims, data }]) => {
    const rowDims = dims.slice(1)
    const elements = rowDims.reduce((product, dim) => product * dim, 1)
    const own = data.slice(row * elements, (row + 1) * elements)
    return [name, { type, dims: rowDims, data: own } as Tensor] as const
  })
  return Object.fromEntries(values)
}

function stack(tensors: readonly Tensor[]): Tensor {
  const { type, dims } = tensors[0] as Tensor
  const parts = tensors.map(({ data }) => data)
  return { type, dims: [tensors.length, ...dims], data: join(type, parts) }
}

function join(type: TensorType, parts: readonly TensorData[]): TensorData {
  const { array } = elementFormats[type]
  if (array === undefined) return parts.flatMap((part) => part as string[])
  const all = new (array as new (length: number) => NumericArray)(
    parts.reduce((sum, { length }) => sum + length, 0),
  )
  let at = 0
  for (const part of parts) {
    all.set(part as never, at)
    at += part.length
  }
  return all
}

// Mulberry32, by Tommy Ettinger: uniform in [0, 1).
function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
