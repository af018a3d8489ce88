import { describe, suggest } from '../../check.ts'
import type { Priority } from '../../engine/infer-options.ts'
import type { Tensor } from '../../pipeline/tensor.ts'
import { BinaryPart } from './binary-part.ts'
import { describeTensor } from './datatypes.ts'
import type { ModelFace, TensorFace, WantedOutput } from './model-face.ts'
import { badRequest } from './protocol-error.ts'
import { readParameters, readTerms, refuseUnsupported } from './request-parameters.ts'
import { TensorFill } from './tensor-fill.ts'
import { readOutputs } from './wanted-outputs.ts'

/** The document of an infer request, checked against the model. */
export interface InferCall {
  readonly id: string | undefined
  /** Complete once `fills` are done and `binary` has its bytes. */
  readonly inputs: Readonly<Record<string, Tensor>>
  /** What is still to be converted from JSON. */
  readonly fills: readonly TensorFill[]
  /** What follows the JSON, in this order. */
  readonly binary: readonly BinaryPart[]
  readonly outputs: readonly WantedOutput[]
  readonly priority: Priority | undefined
  readonly deadlineMs: number | undefined
}

type Fields = Readonly<Record<string, unknown>>

/** Elements converted at once: about a millisecond. */
export const elementsAtOnce = 1 << 16

/**
 * @param binaryBytes How many bytes follow the JSON at most; undefined where none do.
 * @throws {ProtocolError} 400, 501
 */
export function readInferCall(
  document: unknown,
  face: ModelFace,
  binaryBytes: number | undefined,
): InferCall {
  if (!isRecord(document)) {
    throw badRequest(`the request: expected an object with inputs, got ${describe(document)}`)
  }
  const { id, inputs: list } = document
  if (id !== undefined && typeof id !== 'string') {
    throw badRequest(`id: expected a string, got ${describe(id)}; it comes back as it is`)
  }
  const parameters = readParameters(document['parameters'], 'parameters')
  if (!Array.isArray(list)) {
    throw badRequest(`inputs: expected a list of tensors, got ${describe(list)}`)
  }
  const inputs = new InputsReading(face, binaryBytes)
  for (const entry of list) inputs.read(entry)
  inputs.checkAll()
  return {
    id,
    inputs: inputs.tensors,
    fills: inputs.fills,
    binary: inputs.binary,
    outputs: readOutputs(document['outputs'], parameters, face),
    ...readTerms(parameters),
  }
}

class InputsReading {
  readonly tensors: Record<string, Tensor> = {}
  readonly fills: TensorFill[] = []
  readonly binary: BinaryPart[] = []
  readonly #face: ModelFace
  readonly #found: TensorFace[] = []
  #bytesLeft: number | undefined

  constructor(face: ModelFace, binaryBytes: number | undefined) {
    this.#face = face
    this.#bytesLeft = binaryBytes
  }

  read(entry: unknown): void {
    if (!isRecord(entry)) {
      throw badRequest(
        `inputs, ${this.#found.length}: expected a tensor as an object, got ${describe(entry)}`,
      )
    }
    const input = this.#find(entry['name'])
    if (this.#found.includes(input)) {
      throw badRequest(`input "${input.name}": it comes twice; send it once`)
    }
    checkDatatype(entry['datatype'], input)
    const shape = checkShape(entry['shape'], input)
    const parameters = readParameters(entry['parameters'], `input "${input.name}", parameters`)
    refuseUnsupported(parameters, `input "${input.name}"`)
    const size = parameters?.['binary_data_size']
    this.#found.push(input)
    if (size === undefined) this.#readJson(input, shape, entry['data'])
    else this.#readBinary(input, shape, { size, data: entry['data'] })
  }

  /** Of inputs that did not come. */
  checkAll(): void {
    if (this.#found.length === this.#face.inputs.size) return
    for (const input of this.#face.inputs.values()) {
      if (this.#found.includes(input)) continue
      const expected = describeTensor(input.datatype, input.shape)
      throw badRequest(`input "${input.name}" is missing: expected ${expected}; add it to inputs`)
    }
  }

  #find(name: unknown): TensorFace {
    const found = this.#face.inputs.get(name as string)
    if (found !== undefined) return found
    if (typeof name !== 'string') {
      throw badRequest(
        `inputs, ${this.#found.length}, name: expected a string, got ${describe(name)}`,
      )
    }
    const model = JSON.stringify(this.#face.name)
    const known = [...this.#face.inputs.keys()]
    throw badRequest(`model ${model} has no input ${describe(name)}; ${suggest(name, known)}`)
  }

  #readJson(input: TensorFace, shape: readonly number[], data: unknown): void {
    if (input.type === 'float16') {
      throw badRequest(
        `input "${input.name}": FP16 has no form in JSON; send it with binary_data_size and its bytes after the JSON`,
      )
    }
    const fill = new TensorFill(input, { shape, data })
    this.tensors[input.name] = fill.tensor
    if (!fill.step(elementsAtOnce)) this.fills.push(fill)
  }

  #readBinary(
    input: TensorFace,
    shape: readonly number[],
    { size, data }: { size: unknown; data: unknown },
  ): void {
    const where = `input "${input.name}"`
    if (!Number.isSafeInteger(size) || (size as number) < 0) {
      throw badRequest(
        `${where}, binary_data_size: expected a number of bytes, got ${describe(size)}`,
      )
    }
    if (data !== undefined) {
      throw badRequest(`${where}: it has both data and binary_data_size; send one of them`)
    }
    if (this.#bytesLeft === undefined) {
      const header = 'Inference-Header-Content-Length'
      throw badRequest(
        `${where}: it has binary_data_size, which needs the header ${header}; send it`,
      )
    }
    this.#bytesLeft -= size as number
    if (this.#bytesLeft < 0) {
      const over = -this.#bytesLeft
      throw badRequest(
        `${where}: the binary_data_size of all inputs are ${over} bytes more than follow the JSON`,
      )
    }
    const part = new BinaryPart(input, { shape, size: size as number })
    this.tensors[input.name] = part.tensor
    this.binary.push(part)
  }
}

function checkDatatype(given: unknown, input: TensorFace): void {
  if (given === input.datatype) return
  const expected = describeTensor(input.datatype, input.shape)
  const found = typeof given === 'string' ? given.slice(0, 16) : describe(given)
  throw badRequest(`input "${input.name}": expected ${expected}, got datatype ${found}; convert it`)
}

function checkShape(given: unknown, input: TensorFace): readonly number[] {
  const { shape } = input
  if (!Array.isArray(given) || !given.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw badRequest(
      `input "${input.name}", shape: expected a list of sizes such as those of ${describeTensor(input.datatype, shape)}, got ${describe(given)}`,
    )
  }
  const sizes = given as readonly number[]
  const fits =
    sizes.length === shape.length && shape.every((dim, axis) => dim === -1 || dim === sizes[axis])
  if (fits && Number.isSafeInteger(sizes.reduce((product, dim) => product * dim, 1))) return sizes
  const found = `[${sizes.slice(0, 16).join(', ')}${sizes.length > 16 ? ', …' : ''}]`
  throw badRequest(
    `input "${input.name}": expected ${describeTensor(input.datatype, shape)}, got shape ${found}; -1 takes any size`,
  )
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
