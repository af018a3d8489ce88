import { setImmediate as othersHadATurn } from 'node:timers/promises'
import type { HttpRequest, HttpResponse } from '../message.ts'
import { inferAnswer } from './infer-answer.ts'
import { BinaryBody, type InferBody, JsonBody, RawBody } from './infer-body.ts'
import { elementsAtOnce, type InferCall } from './infer-call.ts'
import type { ModelFace } from './model-face.ts'
import { badRequest, ProtocolError } from './protocol-error.ts'
import { type BodyLimits, readBody, tooLarge } from './read-body.ts'

const jsonLengthHeader = 'inference-header-content-length'
const wholeNumber = /^\d{1,15}$/
/** `application/x-www-form-urlencoded` is what curl says of data when it was told nothing. */
const mediaTypes =
  /^(application\/(json|octet-stream|x-www-form-urlencoded|[\w.+-]+\+json))\s*(;\s*charset="?utf-?8"?\s*)?$/i

/** Reads a request, runs it and answers. @throws {ProtocolError} @throws {MillraceError} whatever the engine rejects with */
export async function infer(
  face: ModelFace,
  request: HttpRequest,
  limits: BodyLimits,
): Promise<HttpResponse> {
  const body = openBody(face, request, limits)
  await readBody(request.body, body, limits)
  const call = body.end()
  if (call.fills.length > 0 || call.binary.length > 0) await complete(call)
  const result = await face.engine.infer(call.inputs, {
    priority: call.priority,
    deadlineMs: call.deadlineMs,
    signal: request.signal,
  })
  return inferAnswer(call, result, face)
}

function openBody(face: ModelFace, { headers }: HttpRequest, limits: BodyLimits): InferBody {
  const { maxBytes } = limits
  checkMedia(headers['content-type'], headers['content-encoding'])
  const length = headers['content-length']
  const bytes = length === undefined ? maxBytes : Number(length)
  if (bytes > maxBytes) throw tooLarge(maxBytes)
  const given = headers[jsonLengthHeader]
  if (given === undefined) return new JsonBody(face)
  if (typeof given !== 'string' || !wholeNumber.test(given)) {
    throw badRequest(
      `Inference-Header-Content-Length: expected a number of bytes, got ${JSON.stringify(given)}`,
    )
  }
  const jsonBytes = Number(given)
  if (jsonBytes === 0) return new RawBody(face)
  if (jsonBytes <= bytes) return new BinaryBody(face, { jsonBytes, bytes })
  throw badRequest(
    `Inference-Header-Content-Length: expected at most the ${bytes} bytes of the body, got ${jsonBytes}`,
  )
}

function checkMedia(type: string | undefined, encoding: string | undefined): void {
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new ProtocolError(
      415,
      `content-encoding ${JSON.stringify(encoding)} is not read here; send the body as it is`,
    )
  }
  if (type === undefined || type === 'application/json' || mediaTypes.test(type)) return
  throw new ProtocolError(
    415,
    `content-type ${JSON.stringify(type)} is not read here; send application/json in UTF-8, or application/octet-stream`,
  )
}

/** Does what is left to do, in turns with everybody else where it is much. */
async function complete({ fills, binary }: InferCall): Promise<void> {
  for (const part of [...fills, ...binary]) {
    while (!part.step(elementsAtOnce)) await othersHadATurn()
  }
}
