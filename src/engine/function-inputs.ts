// The tensors that a function is given, made of what its port hands over (see `OpenPortOptions.onCall`).
import type { FunctionInputs } from '../pipeline/stage-function.ts'
import type { Tensor, TensorData, TensorType } from '../pipeline/tensor.ts'
import type { TensorSpec } from '../pipeline/tensor-spec.ts'

/** Undefined: as declared. Numbers: of all rows. Lists: of each row alone. */
type GivenDims = readonly number[] | readonly (readonly number[])[] | undefined

/** Where the rows of one input lie in its elements. */
interface Rows {
  readonly data: TensorData
  readonly dims: readonly (readonly number[])[]
  readonly starts: readonly number[]
}

export class FunctionInputReader {
  readonly #ports: readonly InputPort[]

  /** `specs` are those of a batched model: the first dimension counts rows. */
  constructor(specs: readonly TensorSpec[]) {
    this.#ports = specs.map((spec) => new InputPort(spec))
  }

  /** All rows as one tensor an input. */
  batch(values: readonly unknown[], rows: number): FunctionInputs {
    const inputs: Record<string, Tensor> = {}
    for (const [at, port] of this.#ports.entries()) {
      const dims = values[2 * at + 1] as readonly number[] | undefined
      inputs[port.name] = port.batch(values[2 * at] as TensorData, { dims, rows })
    }
    return inputs
  }

  /** The inputs of each row, by its number, without the dimension that counts rows. */
  rows(values: readonly unknown[], rows: number): (row: number) => FunctionInputs {
    const split = this.#ports.map((port, at) =>
      port.split(values[2 * at] as TensorData, { dims: values[2 * at + 1] as GivenDims, rows }),
    )
    return (row) => {
      const inputs: Record<string, Tensor> = {}
      for (const [at, port] of this.#ports.entries()) {
        inputs[port.name] = port.row(split[at] as Rows, row)
      }
      return inputs
    }
  }
}

class InputPort {
  readonly name: string
  readonly #type: TensorType
  readonly #rowDims: readonly number[]

  constructor({ name, type, dims }: TensorSpec) {
    this.name = name
    this.#type = type
    this.#rowDims = Object.freeze(dims.slice(1))
  }

  batch(
    data: TensorData,
    { dims, rows }: { dims: readonly number[] | undefined; rows: number },
  ): Tensor {
    return { type: this.#type, dims: dims ?? [rows, ...this.#rowDims], data }
  }

  split(data: TensorData, { dims, rows }: { dims: GivenDims; rows: number }): Rows {
    const ofRows: (readonly number[])[] = []
    const starts = [0]
    for (let row = 0; row < rows; row++) {
      const rowDims = this.#dimsOf(dims, row)
      ofRows.push(rowDims)
      starts.push((starts[row] as number) + rowDims.reduce((product, dim) => product * dim, 1))
    }
    return { data, dims: ofRows, starts }
  }

  #dimsOf(dims: GivenDims, row: number): readonly number[] {
    if (dims === undefined) return this.#rowDims
    const own = dims[row]
    return Array.isArray(own) ? (own as number[]) : (dims as readonly number[]).slice(1)
  }

  row({ data, dims, starts }: Rows, row: number): Tensor {
    const [from, to] = [starts[row] as number, starts[row + 1] as number]
    const own = Array.isArray(data) ? data.slice(from, to) : data.subarray(from, to)
    return { type: this.#type, dims: dims[row] as readonly number[], data: own }
  }
}
