/**
 * Writes an ONNX graph the way one writes the computation: every call adds a node and returns the name
 * of its output, which the next call takes as an input.
 *
 * Promises: names are unique and follow from the order of calls, weights from the seed and that order,
 * so one program and one seed give one model, byte for byte. Not promised: any check that the graph
 * is valid; ONNX Runtime does that when it loads it.
 */
import {
  type AttributeProto,
  attributeTypes,
  type DataTypeName,
  dataTypes,
  encodeModel,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './onnx-schema.ts'
import { SeededRandom } from './seeded-random.ts'

/** A number of elements, or the name of a size that is known only when the model runs. */
export type Dimension = number | string

/** A number is an integer attribute; `{ float }` is the way to say a floating-point one. */
export type AttributeValue = number | { float: number } | number[] | string

export type NodeOptions = {
  op: string
  inputs: string[]
  attributes?: Record<string, AttributeValue>
}

export type ValueOptions = { name: string; type: DataTypeName; dims: Dimension[] }

export class Graph {
  readonly #name: string
  readonly #random: SeededRandom
  readonly #nodes: NodeProto[] = []
  readonly #initializers: TensorProto[] = []
  readonly #inputs: ValueInfoProto[] = []
  readonly #outputs: ValueInfoProto[] = []

  constructor(options: { name: string; seed: number }) {
    this.#name = options.name
    this.#random = new SeededRandom(options.seed)
  }

  input(options: ValueOptions): string {
    this.#inputs.push(valueInfo(options))
    return options.name
  }

  /** Makes `from` an output of the model under the name that the options give. */
  output(options: ValueOptions & { from: string }): void {
    this.#outputs.push(valueInfo(options))
    this.#nodes.push({ opType: 'Identity', input: [options.from], output: [options.name] })
  }

  node(options: NodeOptions): string {
    const output = `${options.op.toLowerCase()}_${this.#nodes.length}`
    const attribute = Object.entries(options.attributes ?? {}).map(attributeOf)
    this.#nodes.push({ opType: options.op, input: options.inputs, output: [output], attribute })
    return output
  }

  /**
   * Random float32 weights, uniform with the standard deviation sqrt(2 / fanIn) * gain: He's
   * initialisation, which keeps the size of activations through layers with a ReLU.
   *
   * `centred` takes the mean off each run of `fanIn` weights. Without it the positive mean that every
   * ReLU leaves grows from layer to layer until all inputs of a deep network look alike; trained
   * networks lose it to batch normalisation.
   */
  weights(options: { dims: number[]; fanIn: number; gain?: number; centred?: boolean }): string {
    const { dims, fanIn, gain = 1, centred = false } = options
    const limit = Math.sqrt(6 / fanIn) * gain
    const values = new Float32Array(dims.reduce((product, size) => product * size, 1))
    for (let index = 0; index < values.length; index++) {
      values[index] = (2 * this.#random.uniform() - 1) * limit
    }
    if (centred) centre(values, { length: fanIn })
    return this.#initializer({ type: 'float32', dims, values })
  }

  filled(options: { dims: number[]; value: number }): string {
    const count = options.dims.reduce((product, size) => product * size, 1)
    const values = new Float32Array(count).fill(options.value)
    return this.#initializer({ type: 'float32', dims: options.dims, values })
  }

  floats(options: { dims: number[]; values: Float32Array }): string {
    return this.#initializer({ type: 'float32', ...options })
  }

  /** A one-dimensional int64 constant: shapes, axes and indices are given to operators this way. */
  integers(...values: number[]): string {
    const bigints = BigInt64Array.from(values, BigInt)
    return this.#initializer({ type: 'int64', dims: [values.length], values: bigints })
  }

  /** An int64 constant without dimensions. */
  integer(value: number): string {
    return this.#initializer({ type: 'int64', dims: [], values: BigInt64Array.of(BigInt(value)) })
  }

  encode(): Uint8Array {
    return encodeModel({
      irVersion: 8,
      producerName: 'millrace-bench',
      opsetImport: [{ version: 17 }],
      graph: {
        name: this.#name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      },
    })
  }

  #initializer(options: {
    type: DataTypeName
    dims: number[]
    values: Float32Array | BigInt64Array
  }): string {
    const name = `weight_${this.#initializers.length}`
    const { buffer, byteOffset, byteLength } = options.values
    this.#initializers.push({
      name,
      dims: options.dims,
      dataType: dataTypes[options.type],
      rawData: new Uint8Array(buffer, byteOffset, byteLength),
    })
    return name
  }
}

function centre(values: Float32Array, { length }: { length: number }): void {
  for (let start = 0; start < values.length; start += length) {
    const run = values.subarray(start, start + length)
    const mean = run.reduce((sum, value) => sum + value, 0) / length
    for (let index = 0; index < length; index++) run[index] = (run[index] ?? 0) - mean
  }
}

function valueInfo(options: ValueOptions): ValueInfoProto {
  const dim = options.dims.map((dimension) =>
    typeof dimension === 'number' ? { dimValue: dimension } : { dimParam: dimension },
  )
  const tensorType = { elemType: dataTypes[options.type], shape: { dim } }
  return { name: options.name, type: { tensorType } }
}

function attributeOf([name, value]: [string, AttributeValue]): AttributeProto {
  if (typeof value === 'number') return { name, type: attributeTypes.int, i: value }
  if (typeof value === 'string') {
    return { name, type: attributeTypes.string, s: new TextEncoder().encode(value) }
  }
  if (Array.isArray(value)) return { name, type: attributeTypes.ints, ints: value }
  return { name, type: attributeTypes.float, f: value.float }
}
