import { errorTable, MillraceError, type MillraceErrorCode } from '../errors.ts'

/**
 * Makes a MillraceError of what the addon rejected with; anything else is handed back as it is, a
 * MillraceError too. A library that does not load is no stage's fault.
 */
export function fromNative(error: unknown, stage?: string): unknown {
  if (MillraceError.is(error)) return error
  if (!(error instanceof Error) || !('code' in error) || !isCode(error.code)) return error
  const { code, message } = error
  return code === 'MILLRACE_NATIVE_LOAD'
    ? new MillraceError({ code, message })
    : new MillraceError({ code, message, stage })
}

function isCode(code: unknown): code is MillraceErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code)
}
