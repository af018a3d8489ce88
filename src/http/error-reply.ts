import { STATUS_CODES } from 'node:http'
import { MillraceError } from '../errors.ts'

/** What an error is answered with, in the form that Fastify gives errors; undefined for errors of others. */
export function errorReply(
  error: unknown,
):
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; body: object }
  | undefined {
  if (!MillraceError.is(error)) return undefined
  const { status, code, message, headers } = error
  return {
    status,
    headers,
    body: { statusCode: status, code, error: STATUS_CODES[status] ?? 'Error', message },
  }
}
