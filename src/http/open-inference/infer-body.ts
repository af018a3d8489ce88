// The sinks that make an infer call of the bytes of a body.
import { isUtf8 } from 'node:buffer'
import { BinaryPart } from './binary-part.ts'
import { type InferCall, readInferCall } from './infer-call.ts'
import type { ModelFace } from './model-face.ts'
import { badRequest } from './protocol-error.ts'
import type { BodySink } from './read-body.ts'
import { StreamingJson } from './streaming-json.ts'

/** Bodies up to this go to `JSON.parse`, which takes about a millisecond. */
const smallBytes = 1 << 17
const longInteger = /\d{16}/

/** Makes an infer call of a body, once all of it was written. */
export interface InferBody extends BodySink {
  /** @throws {ProtocolError} 400, 501 */
  end(): InferCall
}

/** The JSON of a request: kept while it is small, read as it comes where it is not. */
class JsonText {
  readonly #face: ModelFace
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  #streaming: StreamingJson | undefined

  constructor(face: ModelFace) {
    this.#face = face
  }

  /** True where that was work. */
  write(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length
    if (this.#streaming === undefined) {
      this.#chunks.push(chunk)
      if (this.#bytes <= smallBytes) return false
      this.#streaming = this.#streamed()
    } else this.#streaming.write(chunk)
    return true
  }

  end(): unknown {
    if (this.#streaming !== undefined) return this.#streaming.end()
    const whole = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks)
    const bytes = whole as Uint8Array
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
    const exact = this.#face.hasWideIntegers && longInteger.test(text)
    if (!exact && isUtf8(bytes)) {
      try {
        return JSON.parse(text)
      } catch {
        // The other one knows NaN, and says where the mistake is.
      }
    }
    return this.#streamed().end()
  }

  #streamed(): StreamingJson {
    const streaming = new StreamingJson()
    for (const chunk of this.#chunks) streaming.write(chunk)
    return streaming
  }
}

/** A body that is JSON and nothing else. */
export class JsonBody implements InferBody {
  readonly #face: ModelFace
  readonly #json: JsonText

  constructor(face: ModelFace) {
    this.#face = face
    this.#json = new JsonText(face)
  }

  write(chunk: Uint8Array): boolean {
    return this.#json.write(chunk)
  }

  end(): InferCall {
    return readInferCall(this.#json.end(), this.#face, undefined)
  }
}

/** JSON of a given length, and after it the bytes of tensors. */
export class BinaryBody implements InferBody {
  readonly #face: ModelFace
  readonly #json: JsonText
  readonly #jsonBytes: number
  /** How many follow at most; exactly, where that is known. */
  readonly #binaryBytes: number
  #jsonLeft: number
  #call: InferCall | undefined
  #part = 0
  #filled = 0

  constructor(face: ModelFace, { jsonBytes, bytes }: { jsonBytes: number; bytes: number }) {
    this.#face = face
    this.#json = new JsonText(face)
    this.#jsonBytes = jsonBytes
    this.#jsonLeft = jsonBytes
    this.#binaryBytes = Math.max(0, bytes - jsonBytes)
  }

  write(chunk: Uint8Array): boolean {
    if (this.#call !== undefined) {
      this.#copy(chunk, this.#call)
      return false
    }
    const json = chunk.subarray(0, this.#jsonLeft)
    this.#jsonLeft -= json.length
    const worked = this.#json.write(json)
    if (this.#jsonLeft > 0) return worked
    this.#call = readInferCall(this.#json.end(), this.#face, this.#binaryBytes)
    if (json.length < chunk.length) this.#copy(chunk.subarray(json.length), this.#call)
    return worked
  }

  end(): InferCall {
    const call = this.#call
    if (call === undefined) {
      const got = this.#jsonBytes - this.#jsonLeft
      throw badRequest(
        `the body ends early: Inference-Header-Content-Length announces ${this.#jsonBytes} bytes of JSON, ${got} came`,
      )
    }
    this.#skipFull(call)
    const part = call.binary[this.#part]
    if (part === undefined) return call
    throw badRequest(
      `the body ends early: input "${part.input.name}" has ${part.bytes.length} bytes, ${this.#filled} came`,
    )
  }

  #copy(chunk: Uint8Array, call: InferCall): void {
    let rest = chunk
    while (rest.length > 0) {
      this.#skipFull(call)
      const part = call.binary[this.#part]
      if (part === undefined) {
        throw badRequest(
          `the body goes on after the bytes of all inputs; correct binary_data_size, or Inference-Header-Content-Length`,
        )
      }
      const taken = rest.subarray(0, part.bytes.length - this.#filled)
      part.bytes.set(taken, this.#filled)
      this.#filled += taken.length
      rest = rest.subarray(taken.length)
    }
  }

  #skipFull({ binary }: InferCall): void {
    while (this.#part < binary.length && this.#filled === binary[this.#part]?.bytes.length) {
      this.#part++
      this.#filled = 0
    }
  }
}

/** A body that is the one input of the model, a single row; all outputs come back as bytes. */
export class RawBody implements InferBody {
  readonly #face: ModelFace
  readonly #chunks: Uint8Array[] = []

  /** @throws {ProtocolError} 400 where the model takes something else */
  constructor(face: ModelFace) {
    this.#face = face
    const [input] = face.inputs.values()
    const open = input?.shape.slice(1).includes(-1)
    if (face.inputs.size === 1 && input !== undefined && !open) return
    throw badRequest(
      'Inference-Header-Content-Length is 0, for a raw body, which needs a model with one input of a fixed shape; send JSON that says what the bytes are',
    )
  }

  write(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk)
    return false
  }

  end(): InferCall {
    const [input] = this.#face.inputs.values()
    if (input === undefined) throw badRequest('the model takes nothing')
    const shape = input.shape.map((dim) => (dim === -1 ? 1 : dim))
    const whole = Buffer.concat(this.#chunks)
    // Of strings, the body is one, without its length.
    const bytes = input.type === 'string' ? withLength(whole) : whole
    const part = new BinaryPart(input, { shape, size: bytes.length })
    part.bytes.set(bytes)
    return {
      id: undefined,
      inputs: { [input.name]: part.tensor },
      fills: [],
      binary: [part],
      outputs: this.#face.allAsBinary,
      priority: undefined,
      deadlineMs: undefined,
    }
  }
}

function withLength(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return Buffer.concat([length, bytes])
}
