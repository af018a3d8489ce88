import { errorTable, MillraceError, type MillraceErrorCode } from '../errors.ts'

/** Makes a MillraceError of what the addon rejected with; anything else is handed back as it is. */
export function fromNative(error: unknown, stage?: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || !isCode(error.code)) return error
  return new MillraceError({ code: error.code, message: error.message, stage })
}

function isCode(code: unknown): code is MillraceErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code)
}
