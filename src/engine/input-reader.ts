// Turns the inputs of a request into the arguments of the native submit. It runs for every request, so the usual case
// allocates nothing; messages are made in request-error.ts, once something is wrong.
import type { BoundPipeline } from '../pipeline/bound-pipeline.ts'
import type { TypedArrayConstructor } from '../pipeline/tensor.ts'
import { InputPort } from './input-port.ts'
import { inputError, keysError, missingError, reentered } from './request-error.ts'

type Elements = ArrayLike<unknown>

export class InputReader {
  readonly ports: readonly InputPort[]
  /** What the last read() found, one a port. */
  readonly data: unknown[]
  /** Rows of the last read(). */
  rows = 0
  /** Dims of the rows of open inputs, for the core; see NativeEngine.attach. */
  readonly openDims: Float64Array
  #openCount = 0
  /** Counts read(), to notice one within another: there is one place for what they find. */
  #reads = 0

  constructor(bound: BoundPipeline) {
    this.ports = bound.inputs.map((value) => new InputPort(value, bound.batched))
    this.data = this.ports.map(() => undefined)
    const openDims = this.ports.reduce((sum, port) => sum + port.value.dims.length, 0)
    this.openDims = new Float64Array(Math.max(1, openDims))
  }

  /**
   * Reads a request; afterwards `data` and `rows` hold it.
   *
   * @throws {MillraceError} MILLRACE_INVALID_INPUT
   */
  read(inputs: unknown): void {
    if (typeof inputs !== 'object' || inputs === null) throw keysError(inputs, this.ports)
    const read = ++this.#reads
    this.rows = 0
    this.#openCount = 0
    const record = inputs as Readonly<Record<string, unknown>>
    for (let index = 0; index < this.ports.length; index++) {
      const port = this.ports[index] as InputPort
      const given = record[port.name]
      if (given === undefined) throw missingError(port, { inputs, ports: this.ports })
      this.data[index] = this.#readPort(port, given)
    }
    if (Object.keys(record).length !== this.ports.length) throw keysError(inputs, this.ports)
    if (read !== this.#reads) throw reentered()
  }

  #readPort(port: InputPort, given: unknown): Elements {
    if (typeof given !== 'object' || given === null) throw inputError(port, given, 'missing')
    if (ArrayBuffer.isView(given) || Array.isArray(given)) {
      return this.#readBare(port, given as unknown as Elements)
    }
    const { type, dims, data } = given as { type?: unknown; dims?: unknown; data?: unknown }
    if (type !== port.value.type) throw inputError(port, given, 'type')
    this.#readDims(port, dims, given)
    const elements = checkElements(port, data, given)
    if (elements.length !== product(dims as readonly number[]))
      throw inputError(port, given, 'length')
    return elements
  }

  /** Elements without dims: as many rows as they fill. */
  #readBare(port: InputPort, given: Elements): Elements {
    const elements = checkElements(port, given, given)
    if (port.rowElements < 0) throw inputError(port, given, 'bare')
    const rows = port.batched ? elements.length / port.rowElements : 1
    if (elements.length !== rows * port.rowElements || !Number.isInteger(rows)) {
      throw inputError(port, given, 'length')
    }
    this.#agreeOnRows(port, rows, given)
    if (port.open) {
      const { dims } = port.value
      for (let axis = port.batched ? 1 : 0; axis < dims.length; axis++) this.#pushDim(dims[axis])
    }
    return elements
  }

  #readDims(port: InputPort, given: unknown, whole: unknown): void {
    const { dims } = port.value
    if (!Array.isArray(given) || given.length !== dims.length) throw inputError(port, whole, 'dims')
    for (let axis = port.batched ? 1 : 0; axis < dims.length; axis++) {
      const dim: unknown = given[axis]
      const expected = dims[axis]
      if (dim !== expected && (expected !== -1 || !isSize(dim)))
        throw inputError(port, whole, 'dims')
      if (port.open) this.#pushDim(dim as number)
    }
    this.#agreeOnRows(port, port.batched ? given[0] : 1, whole)
  }

  #agreeOnRows(port: InputPort, rows: unknown, whole: unknown): void {
    if (!isSize(rows)) throw inputError(port, whole, 'dims')
    if (rows === 0) throw inputError(port, whole, 'no rows')
    if (this.rows !== 0 && this.rows !== rows) {
      throw inputError(port, whole, `rows of "${(this.ports[0] as InputPort).name}": ${this.rows}`)
    }
    this.rows = rows
  }

  #pushDim(dim: number | undefined): void {
    this.openDims[this.#openCount++] = dim as number
  }
}

function checkElements(port: InputPort, data: unknown, whole: unknown): Elements {
  const { array } = port
  if (array === undefined) {
    // A copy, since its elements may be getters, and the core must call nobody while it reads.
    const strings = Array.isArray(data) ? Array.from(data as readonly unknown[]) : undefined
    if (strings?.every((one) => typeof one === 'string')) return strings
    throw inputError(port, whole, 'data')
  }
  if (!isElements(data, array)) throw inputError(port, whole, 'data')
  const elements = data as InstanceType<TypedArrayConstructor>
  // Others may write to shared memory while it is copied; the core must not read it.
  return elements.buffer instanceof SharedArrayBuffer ? elements.slice() : elements
}

// By name where not by class: an array of another realm (a vm context, a test runner) has
// constructors of its own.
function isElements(data: unknown, array: TypedArrayConstructor): boolean {
  if (!ArrayBuffer.isView(data)) return false
  return data instanceof array || tagOf(data) === array.name
}

function tagOf(data: object): unknown {
  return (data as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function product(dims: readonly number[]): number {
  let elements = 1
  for (const dim of dims) elements *= dim
  return elements
}
