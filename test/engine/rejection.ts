import { expect } from 'vitest'
import { MillraceError } from '../../src/index.ts'

/** The MillraceError that a promise rejects with; anything else fails the test. */
export async function rejectionOf(promise: Promise<unknown>): Promise<MillraceError> {
  const error: unknown = await promise.then(
    () => expect.fail('expected a rejection'),
    (reason: unknown) => reason,
  )
  if (error instanceof MillraceError) return error
  throw error
}
