// The messages of requests that do not fit their pipeline, or that the core refused or could not answer.
import { describe, suggest } from '../check.ts'
import { MillraceError } from '../errors.ts'
import { type NativeRefusal, refusals } from '../native/addon.ts'
import { describeShape } from '../pipeline/tensor-spec.ts'
import type { InputPort } from './input-port.ts'

/** Something is wrong with the set of inputs as a whole. */
export function keysError(inputs: unknown, ports: readonly InputPort[]): MillraceError {
  const names = ports.map((port) => port.name)
  if (typeof inputs !== 'object' || inputs === null) {
    return invalid(`inputs: expected an object with ${names.join(', ')}, got ${describe(inputs)}`)
  }
  const extra = Object.keys(inputs).find((name) => !names.includes(name))
  if (extra === undefined) {
    return invalid(
      `inputs: expected ${names.join(', ')} as own properties, got ${describe(inputs)} that inherits some; ` +
        'give a plain object',
    )
  }
  return invalid(`inputs: the pipeline has no input "${extra}"; ${suggest(extra, names)}`)
}

/** An input is not there; where there is one that the pipeline does not have, that may be why. */
export function missingError(
  port: InputPort,
  { inputs, ports }: { inputs: object; ports: readonly InputPort[] },
): MillraceError {
  const odd = Object.keys(inputs).some((name) => !ports.some((other) => other.name === name))
  return odd ? keysError(inputs, ports) : inputError(port, undefined, 'missing')
}

/** Something is wrong with one input: its type, dims, data, or its number of rows. */
export function inputError(port: InputPort, given: unknown, problem: string): MillraceError {
  return invalid(
    `input "${port.name}": expected ${expectation(port)}, got ${found(port, given, problem)}`,
  )
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_INPUT', message })
}

function expectation(port: InputPort): string {
  const elements = port.array === undefined ? 'an array of strings' : `a ${port.array.name}`
  return `${describeShape(port.value)} as ${elements}`
}

function found(port: InputPort, given: unknown, problem: string): string {
  switch (problem) {
    case 'missing':
      return given === undefined ? 'nothing; add it to the inputs' : describe(given)
    case 'no rows':
      return isDetached(given) ? detachedAdvice : 'no rows; send at least one'
    case 'bare':
      return `${describe(given)} without dims; give { type, dims, data }, since its shape is open`
    case 'type':
    case 'data':
    case 'dims':
    case 'length':
      return `${describeTensor(given)}; ${advice(port, given, problem)}`
    default:
      return `${describeTensor(given)}, but there are ${problem}; all inputs need as many rows`
  }
}

function describeTensor(given: unknown): string {
  if (
    typeof given !== 'object' ||
    given === null ||
    ArrayBuffer.isView(given) ||
    Array.isArray(given)
  ) {
    return describe(given)
  }
  const { type, dims, data } = given as { type?: unknown; dims?: unknown; data?: unknown }
  const shape = Array.isArray(dims)
    ? `[${dims.slice(0, 8).map(describeDim).join(', ')}]`
    : 'without dims'
  return `${typeof type === 'string' ? type : describe(type)} ${shape} with data ${describe(data)}`
}

function advice(port: InputPort, given: unknown, problem: string): string {
  if (problem === 'length') {
    if (isDetached(given)) return detachedAdvice
    return `send as many elements as the dims multiply to${port.rowElements > 0 ? ` (${port.rowElements} a row)` : ''}`
  }
  if (problem === 'dims') return 'correct the dims'
  return 'convert the data'
}

function describeDim(dim: unknown): string {
  return typeof dim === 'number' ? String(dim) : describe(dim)
}

const detachedAdvice = 'its buffer is detached: it was transferred away, send a copy'

function isDetached(given: unknown): boolean {
  const data = ArrayBuffer.isView(given) ? given : (given as { data?: unknown }).data
  if (!ArrayBuffer.isView(data)) return false
  try {
    // Node 20 has no ArrayBuffer.detached; a detached buffer takes no view.
    return new Uint8Array(data.buffer).length < 0
  } catch {
    return true
  }
}

/** A getter of the inputs called the engine that was reading them. */
export function reentered(): MillraceError {
  return invalid(
    'inputs: expected values, got a getter that sent another request to the engine; read it before',
  )
}

export function cancelled(signal: AbortSignal): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_CANCELLED',
    message: 'the request was aborted through its signal',
    cause: signal.reason,
  })
}

export function closed(): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_CLOSED',
    message: 'the engine is closed or closing and takes no more requests; start another one',
  })
}

function deadlinePassed(): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_DEADLINE_EXCEEDED',
    message: 'the deadline had passed when the request was made; give deadlineMs above 0',
  })
}

function queueFull(maxPendingRows: number, { retryAfterMs }: NativeRefusal): MillraceError {
  const known = retryAfterOf(retryAfterMs)
  return new MillraceError({
    code: 'MILLRACE_QUEUE_FULL',
    message:
      `the pipeline holds the ${maxPendingRows} rows it admits (maxPendingRows); ` +
      `retry ${afterText(known)}, add replicas, or admit more`,
    retryAfterMs: known,
  })
}

/** What waits leaves too little time for the deadline. */
function tooBusy(leftMs: number, refusal: NativeRefusal): MillraceError {
  const retryAfterMs = retryAfterOf(refusal.retryAfterMs)
  return new MillraceError({
    code: 'MILLRACE_QUEUE_FULL',
    message:
      `the request would wait about ${msText(refusal.waitMs)} and take ${msText(refusal.serviceMs)} more, ` +
      `but its deadline leaves ${msText(leftMs)}; ` +
      `retry ${afterText(retryAfterMs)}, allow a later deadline, or add replicas`,
    retryAfterMs,
  })
}

/** The deadline is nearer than the work takes. */
function tooLittleTime(leftMs: number, { aloneMs }: NativeRefusal): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_DEADLINE_EXCEEDED',
    message:
      `the request takes about ${msText(aloneMs)} even where nothing else waits, ` +
      `but its deadline leaves ${msText(leftMs)}; allow a later deadline or send less`,
  })
}

/** Whether a request was refused for lack of room or of time. */
export function sheds(code: number): boolean {
  return code === refusals.queueFull || code === refusals.tooBusy || code === refusals.tooLittle
}

/** The core took no request, and why: one of `refusals`. */
export function refused(
  code: number,
  given: { leftMs: number; maxPendingRows: number; refusal: NativeRefusal },
): MillraceError {
  const { leftMs, maxPendingRows, refusal } = given
  switch (code) {
    case refusals.queueFull:
      return queueFull(maxPendingRows, refusal)
    case refusals.tooBusy:
      return tooBusy(leftMs, refusal)
    case refusals.tooLittle:
      return tooLittleTime(leftMs, refusal)
    case refusals.deadlinePassed:
      return deadlinePassed()
    case refusals.closed:
      return closed()
    default:
      return defect()
  }
}

/** The deadline passed before there was an answer. */
export function expired(): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_DEADLINE_EXCEEDED',
    message: 'the deadline passed before the request was answered; allow more time or send less',
  })
}

/** A stage could not have met the deadline any more, and dropped the request before it passed. */
export function shed(stage: string, reason: string): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_DEADLINE_EXCEEDED',
    message: `stage "${stage}" dropped the request: ${reason}; allow more time or add replicas`,
    stage,
  })
}

/** Whole milliseconds, as the header Retry-After and timers want them; undefined where not known. */
export function retryAfterOf(nativeMs: number): number | undefined {
  return nativeMs < 0 ? undefined : Math.max(1, Math.ceil(nativeMs))
}

function afterText(retryAfterMs: number | undefined): string {
  return retryAfterMs === undefined ? 'later' : `after ${retryAfterMs} ms`
}

function msText(ms: number): string {
  return `${Number(ms.toPrecision(3))} ms`
}

export function tooManyRows(rows: number, maxPendingRows: number): MillraceError {
  return invalid(
    `the request has ${rows} rows, more than the ${maxPendingRows} the pipeline ever admits (maxPendingRows); ` +
      'send fewer at once, or admit more',
  )
}

/** The core found that the arguments do not fit what was checked here. */
function defect(): MillraceError {
  return invalid(
    'the core refused the inputs; if they are not being changed meanwhile, this is a defect of Millrace',
  )
}
