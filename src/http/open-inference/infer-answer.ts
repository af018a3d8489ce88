import type { Tensor } from '../../pipeline/tensor.ts'
import type { HttpResponse } from '../message.ts'
import { jsonAnswer } from './answer.ts'
import type { InferCall } from './infer-call.ts'
import type { ModelFace, TensorFace } from './model-face.ts'
import { elementText, elementTexts } from './tensor-text.ts'

/** Elements that are written as one text; more come in parts, between which others have a turn. */
const elementsAtOnce = 1 << 14

type Result = Readonly<Record<string, Tensor>>

/** The response to a request, in the encodings that it asked for. */
export function inferAnswer(call: InferCall, result: Result, face: ModelFace): HttpResponse {
  const opening = `${face.opening}${call.id === undefined ? '' : `,"id":${JSON.stringify(call.id)}`},"outputs":[`
  const large = call.outputs.some(({ output, binary }) => {
    return !binary && tensorOf(result, output).data.length > elementsAtOnce
  })
  const binary = call.outputs.some((wanted) => wanted.binary)
  if (large && !binary) return jsonAnswer(inParts(opening, call, result))
  let text = opening
  const parts: Uint8Array[] = []
  let separator = ''
  for (const { output, binary } of call.outputs) {
    const tensor = tensorOf(result, output)
    text += `${separator}${output.opening}${tensor.dims.join(',')}]`
    separator = ','
    if (binary) {
      const bytes = bytesOf(tensor)
      parts.push(bytes)
      text += `,"parameters":{"binary_data_size":${bytes.length}}}`
    } else text += `,"data":[${elementText(tensor)}]}`
  }
  text += ']}'
  return binary ? binaryAnswer(text, parts) : jsonAnswer(text)
}

function binaryAnswer(text: string, parts: readonly Uint8Array[]): HttpResponse {
  const json = Buffer.from(text)
  return {
    status: 200,
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(json.length),
    },
    body: [json, ...parts],
  }
}

async function* inParts(opening: string, { outputs }: InferCall, result: Result) {
  let text = opening
  let separator = ''
  for (const { output } of outputs) {
    const tensor = tensorOf(result, output)
    text += `${separator}${output.opening}${tensor.dims.join(',')}],"data":[`
    separator = ','
    for (const part of elementTexts(tensor, elementsAtOnce)) {
      yield text + part
      text = ''
      await new Promise((resolve) => setImmediate(resolve))
    }
    text += ']}'
  }
  yield `${text}]}`
}

function tensorOf(result: Result, output: TensorFace): Tensor {
  return result[output.name] as Tensor // an engine answers with all of its outputs
}

function bytesOf({ data }: Tensor): Uint8Array {
  if (!Array.isArray(data)) {
    const { buffer, byteOffset, byteLength } = data as Exclude<Tensor['data'], string[]>
    return new Uint8Array(buffer, byteOffset, byteLength)
  }
  const parts: Buffer[] = []
  for (const text of data) {
    const bytes = Buffer.from(text)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    parts.push(length, bytes)
  }
  return Buffer.concat(parts)
}
