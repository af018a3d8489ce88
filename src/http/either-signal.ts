import { checkSignal } from '../engine/infer-options.ts'

/**
 * A signal that is aborted when either is. Not AbortSignal.any: what that makes of a signal which outlives it, as that of
 * a connection does, stays with the older one.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION where the other is no signal
 */
export function eitherSignal(
  signal: AbortSignal,
  other: unknown,
): { readonly signal: AbortSignal; readonly forget?: () => void } {
  const second = checkSignal(other)
  if (second === undefined || signal.aborted) return { signal }
  if (second.aborted) return { signal: second }
  const either = new AbortController()
  const first = (): void => either.abort(signal.reason)
  const last = (): void => either.abort(second.reason)
  signal.addEventListener('abort', first)
  second.addEventListener('abort', last)
  const forget = (): void => {
    signal.removeEventListener('abort', first)
    second.removeEventListener('abort', last)
  }
  return { signal: either.signal, forget }
}
