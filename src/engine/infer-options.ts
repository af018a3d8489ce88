import { checkNumber, checkObject, checkOneOf, describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import { priorityClasses } from '../native/addon.ts'
import type { SignalSource } from './abort-listeners.ts'

/** A class of requests: higher ones are served first, but waiting raises a lower one, every 100 ms, so that none starves. */
export type Priority = (typeof priorityClasses)[number]

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
  /** Default 'normal'. */
  readonly priority?: Priority | undefined
}

/** Options with their defaults, checked. */
export interface RequestTerms {
  /** Infinity for none. */
  readonly leftMs: number
  readonly signal: SignalSource | undefined
  /** Index of the class. */
  readonly priority: number
}

const keys = ['deadlineMs', 'signal', 'priority'] as const

/** The terms of a request without options. */
export const defaultTerms: RequestTerms = {
  leftMs: Number.POSITIVE_INFINITY,
  signal: undefined,
  priority: priorityClasses.indexOf('normal'),
}

/** @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function readInferOptions(options: InferOptions): RequestTerms {
  const { deadlineMs, signal, priority } = checkObject(options, { name: 'infer options', keys })
  return {
    leftMs: deadlineMs === undefined ? Number.POSITIVE_INFINITY : checkDeadline(deadlineMs),
    signal: typeof signal === 'function' ? (signal as () => AbortSignal) : checkSignal(signal),
    priority: priority === undefined ? defaultTerms.priority : checkPriority(priority),
  }
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
