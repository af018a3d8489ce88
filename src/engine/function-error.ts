// Errors thrown by functions, on their way through the core: as JSON there, as an Error again for whoever waits.
import { describe } from '../check.ts'

/** What is kept of an error. */
export interface PlainError {
  /** '' where what was thrown is no error. */
  readonly name: string
  readonly message: string
  readonly stack?: string | undefined
  readonly code?: string | number | undefined
  readonly cause?: PlainError | undefined
}

/** Causes of causes beyond it are left out; a cause may lead back to itself. */
const mostCauses = 4

/** Anything that was thrown. Never throws itself, whatever the getters of the error do. */
export function plainError(thrown: unknown, causesLeft = mostCauses): PlainError {
  try {
    return toPlain(thrown, causesLeft)
  } catch {
    return { name: 'Error', message: 'an error that cannot be read' }
  }
}

function toPlain(thrown: unknown, causesLeft: number): PlainError {
  if (!isErrorLike(thrown)) return { name: '', message: describe(thrown) }
  const { name, message, stack, code, cause } = thrown
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: String(message),
    stack: typeof stack === 'string' ? stack : undefined,
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    cause: cause === undefined || causesLeft === 0 ? undefined : plainError(cause, causesLeft - 1),
  }
}

interface ErrorLike {
  readonly message: unknown
  readonly name?: unknown
  readonly stack?: unknown
  readonly code?: unknown
  readonly cause?: unknown
}

// Errors of another realm are no instances of ours.
function isErrorLike(thrown: unknown): thrown is ErrorLike {
  return typeof thrown === 'object' && thrown !== null && 'message' in thrown
}

/** In one line: what was thrown, for the end of a message. */
export function summaryOf({ name, message }: PlainError): string {
  return name === '' ? `threw ${message}` : `threw ${name}: ${message}`
}

/** The error again, with the name, message, stack and code it had. */
export function revivedError(plain: PlainError): Error {
  const { message, stack, code, cause } = plain
  const name = plain.name || 'Error'
  const error = new Error(message, cause === undefined ? undefined : { cause: revivedError(cause) })
  const hidden = { configurable: true, writable: true } as const
  Object.defineProperty(error, 'name', { ...hidden, value: name })
  Object.defineProperty(error, 'stack', { ...hidden, value: stack ?? `${name}: ${message}` })
  return code === undefined ? error : Object.assign(error, { code })
}

/** The error that the core carried as JSON; undefined where there was none. */
export function causeOf(detail: string | undefined): Error | undefined {
  return detail === undefined ? undefined : revivedError(JSON.parse(detail) as PlainError)
}
