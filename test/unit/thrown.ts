import { MillraceError } from '../../src/errors.ts'

/** The MillraceError that `act` throws; anything else fails the test. */
export function errorOf(act: () => unknown): MillraceError {
  try {
    act()
  } catch (error) {
    if (MillraceError.is(error)) return error
    throw error
  }
  throw new Error('expected an error, got none')
}
