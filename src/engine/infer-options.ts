import { checkNumber, checkObject, checkOneOf, describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import { priorityClasses, recordVisits } from '../native/addon.ts'
import type { SignalSource } from './abort-listeners.ts'
import type { VisitsReader } from './visits.ts'

/**
 * A class of requests: higher ones are served first, but waiting raises a lower one, every 100 ms, so that none starves.
 *
 * @useDeclaredType
 */
export type Priority = (typeof priorityClasses)[number]

/** How one request is run. */
export interface InferOptions {
  /**
   * Milliseconds until the request must be answered, from now. Travels with the request: each stage sees what is left.
   * When it passes, the promise rejects with MILLRACE_DEADLINE_EXCEEDED and what has not run will not; 0 or less has
   * passed already. Default: none, as Infinity.
   */
  readonly deadlineMs?: number | undefined
  /**
   * Aborting it rejects the promise with MILLRACE_CANCELLED, whose `cause` is the signal's reason. Or a function that gives
   * it, for signals that cost much to make: called once, where the request has waited for 10 ms, within 20. Default: none.
   */
  readonly signal?: AbortSignal | (() => AbortSignal) | undefined
  /** Whether it goes before others, or lets them pass. Default 'normal'. */
  readonly priority?: Priority | undefined
  /**
   * Headers of the HTTP request, or of the message, that this one is made for. Where no span is active, `traceparent` and
   * `tracestate` (W3C) among them tell a tracer whose child the request is; nothing else looks at them. Default: none.
   */
  readonly traceHeaders?: TraceHeaders | undefined
}

/** As `node:http` and others have them: names in lower case. */
export type TraceHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** Options with their defaults, checked. */
export interface RequestTerms {
  /** Infinity for none. */
  readonly leftMs: number
  readonly signal: SignalSource | undefined
  /** Index of the class. */
  readonly priority: number
  /** Where the request's visits are recorded: who is told of them. */
  readonly recorded?: VisitsReader
}

const keys = ['deadlineMs', 'signal', 'priority', 'traceHeaders'] as const

/** The terms of a request without options. */
export const defaultTerms: RequestTerms = {
  leftMs: Number.POSITIVE_INFINITY,
  signal: undefined,
  priority: priorityClasses.indexOf('normal'),
}

/** @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function readInferOptions(options: InferOptions): RequestTerms {
  const given = checkObject(options, { name: 'infer options', keys })
  const { deadlineMs, signal, priority, traceHeaders } = given
  if (traceHeaders !== undefined) checkHeaders(traceHeaders)
  return {
    leftMs: deadlineMs === undefined ? Number.POSITIVE_INFINITY : checkDeadline(deadlineMs),
    signal: typeof signal === 'function' ? (signal as () => AbortSignal) : checkSignal(signal),
    priority: priority === undefined ? defaultTerms.priority : checkPriority(priority),
  }
}

/** The same terms, of a request whose visits are recorded. */
export function recordedTerms(terms: RequestTerms, recorded: VisitsReader): RequestTerms {
  return { ...terms, priority: terms.priority + recordVisits, recorded }
}

function checkHeaders(value: unknown): void {
  if (typeof value === 'object' && value !== null) return
  throw new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `traceHeaders: expected an object of headers, got ${describe(value)}; give { traceparent }, or request.headers`,
  })
}

function checkDeadline(value: unknown): number {
  if (value === Number.POSITIVE_INFINITY) return value
  return checkNumber(value, { name: 'deadlineMs' })
}

function checkPriority(value: unknown): number {
  return priorityClasses.indexOf(checkOneOf(value, { name: 'priority', choices: priorityClasses }))
}

/** @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function checkSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value
  throw new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `signal: expected an AbortSignal, got ${describe(value)}; take it from an AbortController`,
  })
}
