import { isUtf8 } from 'node:buffer'
import type { Tensor, TensorData } from '../../pipeline/tensor.ts'
import { describeTensor } from './datatypes.ts'
import type { TensorFace } from './model-face.ts'
import { badRequest } from './protocol-error.ts'

interface Given {
  readonly shape: readonly number[]
  /** Bytes it has in the body. */
  readonly size: number
}

const lengthBytes = 4

/** A tensor whose bytes follow the JSON: they are copied once, from the chunks of the body to where the tensor has them. */
export class BinaryPart {
  readonly input: TensorFace
  /** Where the bytes belong. */
  readonly bytes: Uint8Array
  /** As it will be when `step` is done with it. */
  readonly tensor: Tensor
  readonly #strings: string[] | undefined
  readonly #count: number
  #at = 0

  /** @throws {ProtocolError} 400 where the shape asks for another number of bytes */
  constructor(input: TensorFace, { shape, size }: Given) {
    this.input = input
    this.#count = shape.reduce((product, dim) => product * dim, 1)
    const { array: ArrayOfType, bytes } = input.format
    if (ArrayOfType === undefined) {
      this.bytes = new Uint8Array(size)
      this.#strings = []
      this.tensor = { type: input.type, dims: shape, data: this.#strings } as Tensor
      return
    }
    const expected = this.#count * bytes
    if (expected !== size) throw wrongSize(input, { shape, size }, expected)
    const elements = new ArrayOfType(this.#count)
    this.bytes = new Uint8Array(elements.buffer)
    this.tensor = { type: input.type, dims: shape, data: elements as TensorData } as Tensor
  }

  /**
   * Once all bytes are there: makes elements of them where they are not the elements already, about so many at once; true
   * when there are none left.
   *
   * @throws {ProtocolError} 400
   */
  step(most: number): boolean {
    if (this.input.type === 'bool') checkBooleans(this.bytes, this.input)
    if (this.#strings === undefined) return true
    for (let left = most; left > 0 && this.#at < this.bytes.length; left--) {
      this.#at = readString(this, { at: this.#at, into: this.#strings })
    }
    if (this.#at < this.bytes.length) return false
    if (this.#strings.length === this.#count) return true
    const found = this.#strings.length
    throw wrongStrings(this.input, `holds ${found} elements where the shape has ${this.#count}`)
  }
}

function wrongSize(input: TensorFace, { shape, size }: Given, expected: number): Error {
  const tensor = describeTensor(input.datatype, shape)
  return badRequest(
    `input "${input.name}": ${tensor} has ${expected} bytes, but binary_data_size is ${size}; correct one of them`,
  )
}

function readString(
  { bytes, input }: BinaryPart,
  { at, into }: { at: number; into: string[] },
): number {
  const begin = at + lengthBytes
  if (begin > bytes.length) throw wrongStrings(input, `ends within a length at byte ${at}`)
  const view = Buffer.from(bytes.buffer)
  const length = view.readUInt32LE(at)
  const end = begin + length
  if (end > bytes.length) {
    throw wrongStrings(input, `ends within element ${into.length}, of ${length} bytes`)
  }
  if (!isUtf8(bytes.subarray(begin, end))) {
    throw wrongStrings(input, `is not UTF-8 in element ${into.length}, and pipelines carry text`)
  }
  into.push(view.toString('utf8', begin, end))
  return end
}

function wrongStrings(input: TensorFace, problem: string): Error {
  const form = 'the length of each element as 4 bytes, little-endian, before its bytes'
  return badRequest(`input "${input.name}": its binary data ${problem}; send ${form}`)
}

function checkBooleans(bytes: Uint8Array, input: TensorFace): void {
  const odd = bytes.findIndex((byte) => byte > 1)
  if (odd < 0) return
  throw badRequest(
    `input "${input.name}", element ${odd}: expected a byte of 0 or 1, got ${bytes[odd]}`,
  )
}
