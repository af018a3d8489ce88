import { setImmediate as othersHadATurn } from 'node:timers/promises'
import { nowMs } from '../../clock.ts'
import { hasDeadline, readDeadline } from '../deadline-header.ts'
import type { HttpRequest, HttpResponse } from '../message.ts'
import { decodedBody } from './decoded-body.ts'
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

export interface InferLimits extends BodyLimits {
  /** Where clients say how long they wait; undefined where that is not looked at. */
  readonly deadlineHeader: string | undefined
}

/** Reads a request, runs it and answers. @throws {ProtocolError} @throws {MillraceError} whatever the engine rejects with */
export async function infer(
  face: ModelFace,
  request: HttpRequest,
  limits: InferLimits,
): Promise<HttpResponse> {
  const deadline = clientDeadline(request, limits)
  const body = openBody(face, request, limits)
  await readDecoded(request, body, limits)
  const call = body.end()
  if (call.fills.length > 0 || call.binary.length > 0) await complete(call)
  const result = await face.engine.infer(call.inputs, {
    priority: call.priority,
    deadlineMs: deadline === undefined ? call.deadlineMs : nearest(call.deadlineMs, deadline),
    signal: () => request.signal,
  })
  return inferAnswer(call, result, face)
}

async function readDecoded(
  { body, headers }: HttpRequest,
  sink: InferBody,
  limits: BodyLimits,
): Promise<void> {
  const decoded = decodedBody(body, headers['content-encoding'])
  try {
    await readBody(decoded, sink, limits)
  } finally {
    if (decoded !== body) decoded.destroy()
  }
}

/** When the client goes, by {@link nowMs}; undefined where its headers do not say. */
function clientDeadline(
  { headers }: HttpRequest,
  { deadlineHeader }: InferLimits,
): number | undefined {
  if (deadlineHeader === undefined || !hasDeadline(headers, deadlineHeader)) return undefined
  return nowMs() + (readDeadline(headers, deadlineHeader) as number) // there is one to read
}

function nearest(askedMs: number | undefined, deadline: number): number {
  const leftMs = deadline - nowMs()
  return askedMs === undefined ? leftMs : Math.min(askedMs, leftMs)
}

function openBody(face: ModelFace, { headers }: HttpRequest, limits: BodyLimits): InferBody {
  const { maxBytes } = limits
  checkMedia(headers['content-type'])
  const length = Number(headers['content-length'] ?? maxBytes)
  if (length > maxBytes) throw tooLarge(maxBytes)
  // Of a compressed body it is not known how long it will be.
  const bytes = headers['content-encoding'] === undefined ? length : maxBytes
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

function checkMedia(type: string | undefined): void {
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
