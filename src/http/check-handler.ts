import { describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { HttpHandler } from './message.ts'

/** @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function checkHandler(value: unknown, name: string): HttpHandler {
  if (typeof value === 'function') return value as HttpHandler
  throw new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `${name}: expected a handler, got ${describe(value)}; give what openInference, livePage or the like return`,
  })
}
