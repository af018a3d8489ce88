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

/** The MillraceError that `act` rejects with; anything else fails the test. */
export async function rejectionOf(act: () => Promise<unknown>): Promise<MillraceError> {
  try {
    await act()
  } catch (error) {
    if (MillraceError.is(error)) return error
    throw error
  }
  throw new Error('expected an error, got none')
}
