import { checkBoolean, checkNumber } from '../check.ts'
import { type Clock, nowMs } from '../clock.ts'
import { Connections } from './connections.ts'
import { readDeadlineHeader } from './deadline-header.ts'
import { type EngineSource, ServedEngines } from './served-engines.ts'

/** What both adapters are told. */
export interface AdapterOptions {
  /**
   * The engine of the application, or the promise of one: then the server may listen while the models load, and what comes
   * too early is answered with 503. A start that fails is answered with 503 and its reason. Either this or `engines`: left
   * out with that.
   */
  readonly engine?: EngineSource | undefined
  /** Several engines, by the names that `infer` is told, at least one. Either this or `engine`: left out with that. */
  readonly engines?: Readonly<Record<string, EngineSource>> | undefined
  /**
   * Name of the header in which clients say how many milliseconds they wait for their answer, counted from when the request
   * came. It goes before `grpc-timeout`, which is understood as well. False: what clients say is not looked at. Default
   * 'x-request-timeout'.
   */
  readonly deadlineHeader?: string | false | undefined
  /**
   * The longest that any request of the application's own routes may take, in milliseconds from when it came, at least 0.
   * Default: none, as Infinity.
   */
  readonly deadlineMs?: number | undefined
  /**
   * How long, in milliseconds, clients that keep their connection are given to leave when the server shuts down, at least 0:
   * the answer to their next request tells them to. It ends as soon as all have left. Default 500.
   */
  readonly leaveMs?: number | undefined
  /**
   * How long, in milliseconds, requests may take to be answered after that, at least 0; then connections are closed, and
   * engines end as with `engine.close({ timeoutMs })`. Default 10,000.
   */
  readonly timeoutMs?: number | undefined
  /** Whether the engines are closed when the server has shut down. Default true. */
  readonly closeEngines?: boolean | undefined
}

/** Options with their defaults, checked. */
export interface AdapterTerms {
  readonly engines: ServedEngines
  readonly connections: Connections
  readonly deadlineHeader: string | undefined
  /** Infinity for none. */
  readonly deadlineMs: number
  readonly leaveMs: number
  readonly timeoutMs: number
  readonly closeEngines: boolean
  readonly now: Clock
}

export const adapterKeys = [
  'engine',
  'engines',
  'deadlineHeader',
  'deadlineMs',
  'leaveMs',
  'timeoutMs',
  'closeEngines',
] as const satisfies readonly (keyof AdapterOptions)[]

/** @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function readAdapterOptions(
  given: Readonly<Partial<Record<(typeof adapterKeys)[number], unknown>>>,
): AdapterTerms {
  const { deadlineHeader, deadlineMs = Number.POSITIVE_INFINITY } = given
  const { leaveMs = 500, timeoutMs = 10_000, closeEngines = true } = given
  return {
    engines: new ServedEngines(given),
    connections: new Connections(),
    deadlineHeader: readDeadlineHeader(deadlineHeader),
    deadlineMs:
      deadlineMs === Number.POSITIVE_INFINITY
        ? deadlineMs
        : checkNumber(deadlineMs, { name: 'deadlineMs', min: 0 }),
    leaveMs: checkNumber(leaveMs, { name: 'leaveMs', min: 0 }),
    timeoutMs: checkNumber(timeoutMs, { name: 'timeoutMs', min: 0 }),
    closeEngines: checkBoolean(closeEngines, { name: 'closeEngines' }),
    now: nowMs,
  }
}
