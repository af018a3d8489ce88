import { describe } from '../check.ts'
import { MillraceError } from '../errors.ts'

/** @throws {MillraceError} MILLRACE_INVALID_INPUT */
export function checkIterable<Item>(requests: Iterable<Item>): Iterable<Item> {
  const given: unknown = requests
  if (typeof given === 'object' && given !== null && Symbol.iterator in given) return requests
  throw new MillraceError({
    code: 'MILLRACE_INVALID_INPUT',
    message: `requests: expected an iterable of inputs, got ${describe(given)}; give an array`,
  })
}
