// What a function returned, checked against what its stage declares and put together for the core.
import { describe } from '../check.ts'
import { encodeElement, toElement } from '../pipeline/element.ts'
import { elementFormats, type TensorData, type TensorType } from '../pipeline/tensor.ts'
import { describeShape, type TensorSpec } from '../pipeline/tensor-spec.ts'

type NumericArray = Exclude<TensorData, string[]>
type Dims = readonly number[]

/** Of one row, or of all; the dims that were found. */
export interface OutputValue {
  readonly data: TensorData
  readonly dims: Dims
}

/** The function returned something else than its stage declares. Its message is for the caller of the engine. */
export class FunctionOutputError extends Error {}

/** The outputs in the form of `NativePort.answer`: elements and dims of each, in turn. */
export class FunctionOutputWriter {
  readonly #ports: readonly OutputPort[]

  /** `specs` are those of a batched model: the first dimension counts rows. */
  constructor(specs: readonly TensorSpec[]) {
    this.#ports = specs.map((spec) => new OutputPort(spec))
  }

  /**
   * Checks what a call for one row returned.
   *
   * @throws {FunctionOutputError}
   */
  row(returned: unknown): readonly OutputValue[] {
    const record = checkReturned(returned)
    return this.#ports.map((port) => port.row(record[port.name]))
  }

  /** Puts rows together; undefined for those that failed. */
  ofRows(rows: readonly (readonly OutputValue[] | undefined)[]): unknown[] {
    return this.#ports.flatMap((port, at) => port.join(rows.map((row) => row?.[at])))
  }

  /**
   * Checks what a call for a whole batch returned.
   *
   * @throws {FunctionOutputError}
   */
  ofBatch(returned: unknown, rows: number): unknown[] {
    const record = checkReturned(returned)
    return this.#ports.flatMap((port) => port.batch(record[port.name], rows))
  }
}

function checkReturned(returned: unknown): Readonly<Record<string, unknown>> {
  if (typeof returned === 'object' && returned !== null)
    return returned as Readonly<Record<string, unknown>>
  throw new FunctionOutputError(
    `returned ${describe(returned)}, expected an object with its outputs; return one`,
  )
}

class OutputPort {
  readonly name: string
  readonly #type: TensorType
  readonly #rowDims: Dims
  /** Elements of a row; -1 where open. */
  readonly #rowElements: number
  readonly #array: (new (length: number) => NumericArray) | undefined
  /** Where rows are put together; what is in it has been copied before the next call. */
  #scratch: NumericArray | undefined

  constructor({ name, type, dims }: TensorSpec) {
    this.name = name
    this.#type = type
    this.#rowDims = dims.slice(1)
    this.#rowElements = this.#rowDims.includes(-1) ? -1 : elementsOf(this.#rowDims)
    this.#array = elementFormats[type].array as (new (length: number) => NumericArray) | undefined
  }

  row(value: unknown): OutputValue {
    if (isScalar(value)) return this.#scalar(value)
    return this.#tensor(value, this.#rowDims)
  }

  batch(value: unknown, rows: number): [data: unknown, dims: unknown] {
    if (isListOfRows(value)) {
      if (value.length !== rows) throw this.#misfit(`${value.length} rows`, [rows])
      return this.join(value.map((one) => this.#tensor(one, this.#rowDims)))
    }
    const { data, dims } = this.#tensor(value, [rows, ...this.#rowDims])
    return [data, this.#rowElements < 0 ? dims : undefined]
  }

  join(rows: readonly (OutputValue | undefined)[]): [data: unknown, dims: unknown] {
    if (this.#rowElements >= 0) return [this.#concat(rows, this.#rowElements), undefined]
    const first = rows.find((row) => row !== undefined)?.dims
    if (first === undefined) return this.#none(rows.length)
    if (rows.every((row) => row === undefined || sameDims(row.dims, first))) {
      return [this.#concat(rows, elementsOf(first)), [rows.length, ...first]]
    }
    return [rows.map((row) => row?.data), rows.map((row) => row?.dims)]
  }

  /** Every row failed: nothing is read. */
  #none(rows: number): [data: unknown, dims: unknown] {
    const dims = [rows, ...this.#rowDims.map((dim) => Math.max(dim, 0))]
    return [this.#concat(new Array(rows).fill(undefined), 0), dims]
  }

  #concat(rows: readonly (OutputValue | undefined)[], rowElements: number): TensorData {
    const elements = rows.length * rowElements
    if (this.#array === undefined) {
      return rows.flatMap((row) => (row?.data as string[]) ?? new Array(rowElements).fill(''))
    }
    if (this.#scratch === undefined || this.#scratch.length < elements) {
      this.#scratch = new this.#array(elements)
    }
    const all = this.#scratch.subarray(0, elements)
    for (const [at, row] of rows.entries()) {
      if (row !== undefined) all.set(row.data as never, at * rowElements)
    }
    return all
  }

  #scalar(value: number | bigint | boolean | string): OutputValue {
    const found = describe(value)
    if (this.#rowElements !== 1) throw this.#misfit(found, [])
    const converted = toElement(value, this.#type)
    if ('problem' in converted) {
      throw new FunctionOutputError(`output "${this.name}": ${converted.problem}; convert it`)
    }
    const { element } = converted
    if (typeof element === 'string') return { data: [element], dims: this.#rowDims }
    const { buffer } = encodeElement(element, this.#type)
    const ArrayOfType = this.#array as unknown as new (of: ArrayBufferLike) => NumericArray
    return { data: new ArrayOfType(buffer), dims: this.#rowDims }
  }

  #tensor(value: unknown, wanted: Dims): OutputValue {
    if (isElements(value)) return this.#bare(value, wanted)
    if (typeof value !== 'object' || value === null) throw this.#misfit(describe(value), wanted)
    const { type, dims, data } = value as Record<string, unknown>
    const typed = type === this.#type && this.#holds(data)
    if (!typed) throw this.#misfit(`${String(type)} with data ${describe(data)}`, wanted)
    if (!isDims(dims) || !fits(dims, wanted)) throw this.#misfit(`dims ${showDims(dims)}`, wanted)
    const { length } = data as TensorData
    if (length === elementsOf(dims)) return { data: data as TensorData, dims }
    throw this.#misfit(`${length} elements for dims ${showDims(dims)}`, wanted)
  }

  #bare(value: TensorData, wanted: Dims): OutputValue {
    if (!this.#holds(value)) throw this.#misfit(describe(value), wanted)
    const dims = completed(wanted, value.length)
    if (dims === undefined) {
      throw this.#misfit(`${describe(value)} without dims, where two are open`, wanted)
    }
    if (value.length === elementsOf(dims)) return { data: value, dims }
    throw this.#misfit(`${value.length} elements`, wanted)
  }

  #holds(data: unknown): boolean {
    if (this.#array !== undefined) return data instanceof this.#array
    return Array.isArray(data) && data.every((element) => typeof element === 'string')
  }

  #misfit(found: string, wanted: Dims): FunctionOutputError {
    const expected = describeShape({ type: this.#type, dims: wanted })
    const elements = this.#array === undefined ? 'an array of strings' : `a ${this.#array.name}`
    return new FunctionOutputError(
      `output "${this.name}": expected ${expected} as ${elements}, got ${found}; ` +
        `return what the stage declares (${describeShape({ type: this.#type, dims: this.#rowDims })} a row)`,
    )
  }
}

function isScalar(value: unknown): value is number | bigint | boolean | string {
  const kind = typeof value
  return kind === 'number' || kind === 'bigint' || kind === 'boolean' || kind === 'string'
}

function isElements(value: unknown): value is TensorData {
  return ArrayBuffer.isView(value) || Array.isArray(value)
}

/** A tensor for each row, where rows differ in shape. */
function isListOfRows(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0 && typeof value[0] === 'object'
}

function isDims(value: unknown): value is Dims {
  return Array.isArray(value) && value.every((dim) => Number.isInteger(dim) && dim >= 0)
}

function fits(dims: Dims, wanted: Dims): boolean {
  return dims.length === wanted.length && wanted.every((dim, at) => dim === -1 || dim === dims[at])
}

/** The dims that so many elements have, where no more than one is open. */
function completed(wanted: Dims, elements: number): Dims | undefined {
  const open = wanted.indexOf(-1)
  if (open < 0) return wanted
  if (wanted.lastIndexOf(-1) !== open) return undefined
  const size = Math.floor(elements / -elementsOf(wanted))
  return wanted.map((dim) => (dim === -1 ? size : dim))
}

function sameDims(one: Dims, other: Dims): boolean {
  return one.length === other.length && one.every((dim, at) => dim === other[at])
}

function elementsOf(dims: Dims): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

function showDims(dims: unknown): string {
  return Array.isArray(dims) ? `[${dims.map(String).join(', ')}]` : describe(dims)
}
