import { MillraceError } from '../../errors.ts'
import type { HttpResponse } from '../message.ts'
import { ProtocolError } from './protocol-error.ts'

const json = Object.freeze({ 'content-type': 'application/json' })

/** A response whose body is this JSON. */
export function jsonAnswer(body: HttpResponse['body'], status = 200): HttpResponse {
  return { status, headers: json, body }
}

/** An error in the protocol's form. `onError` is told of what is nobody's fault but ours. */
export function errorAnswer(error: unknown, onError: (error: unknown) => void): HttpResponse {
  if (error instanceof ProtocolError) return answer(error.status, error.message, error.headers)
  if (!MillraceError.is(error)) {
    onError(error)
    return answer(500, 'an internal error; the server knows more')
  }
  const { status, headers } = outcomeOf(error)
  if (status === 500) onError(error)
  return answer(status, error.message, headers)
}

function outcomeOf(error: MillraceError): Pick<HttpResponse, 'status'> & Partial<HttpResponse> {
  switch (error.code) {
    case 'MILLRACE_QUEUE_FULL':
      return { status: 503, headers: { 'retry-after': seconds(error.retryAfterMs) } }
    // Elsewhere it is 504; the protocol knows one status for all that is unavailable, timed out or not.
    case 'MILLRACE_DEADLINE_EXCEEDED':
      return { status: 503 }
    default:
      return { status: error.status }
  }
}

/** Whole seconds, as the header wants them: at least 1. */
function seconds(retryAfterMs = 1): string {
  return String(Math.max(1, Math.ceil(retryAfterMs / 1000)))
}

function answer(status: number, message: string, headers?: HttpResponse['headers']): HttpResponse {
  const body = JSON.stringify({ error: message })
  return { status, headers: headers === undefined ? json : { ...json, ...headers }, body }
}
