import {
  checkInteger,
  checkNumber,
  checkObject,
  checkRecord,
  checkString,
  describe,
} from '../../check.ts'
import type { Engine } from '../../engine/engine.ts'
import { MillraceError } from '../../errors.ts'
import { readDeadlineHeader } from '../deadline-header.ts'

/** What `openInference` serves, and within which limits. */
export interface OpenInferenceOptions {
  /**
   * The models by the names that clients use, at least one. A promise is of a model that is not ready yet; where it
   * rejects, the model never is. To serve one stage by itself, start an engine of `stagePipeline`.
   */
  readonly models: Readonly<Record<string, Engine | PromiseLike<Engine>>>
  /** Bytes that the body of a request may have, at least 1; a larger one is answered with 413. Default 67,108,864 (64 MiB). */
  readonly maxBodyBytes?: number | undefined
  /** Milliseconds in which a body must arrive, from 1 to 2,147,483,647; a slower one is answered with 408. Default 30,000. */
  readonly bodyTimeoutMs?: number | undefined
  /**
   * Name of the header in which clients say how many milliseconds they wait for their answer, counted from when the request
   * came, body and all. It goes before `grpc-timeout`; the parameter `timeout` counts from when the body is there, and
   * whichever ends first holds. False: headers are not looked at. Default 'x-request-timeout'.
   */
  readonly deadlineHeader?: string | false | undefined
  /** What the server calls itself in its metadata. Default 'millrace'. */
  readonly name?: string | undefined
  /** Version of the server in its metadata; any text. Default '1'. */
  readonly version?: string | undefined
  /**
   * Told of everything that was answered with 500 and of every model that did not start: for a log. What it throws is
   * uncaught. Default: nobody is told but the client.
   */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** The options with their defaults, checked. */
export interface ServedWith {
  readonly models: ReadonlyMap<string, Engine | PromiseLike<Engine>>
  readonly maxBodyBytes: number
  readonly bodyTimeoutMs: number
  readonly deadlineHeader: string | undefined
  readonly name: string
  readonly version: string
  readonly onError: (error: unknown) => void
}

const keys = [
  'models',
  'maxBodyBytes',
  'bodyTimeoutMs',
  'deadlineHeader',
  'name',
  'version',
  'onError',
] as const
const defaultBodyBytes = 64 << 20
const defaultTimeoutMs = 30_000
const longestTimerMs = 2 ** 31 - 1

/** @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function readOpenInferenceOptions(options: unknown): ServedWith {
  const given = checkObject(options, { name: 'openInference options', keys })
  const { maxBodyBytes = defaultBodyBytes, bodyTimeoutMs = defaultTimeoutMs } = given
  const { name = 'millrace', version = '1', onError = () => {} } = given
  return {
    models: checkModels(given.models),
    maxBodyBytes: checkInteger(maxBodyBytes, { name: 'maxBodyBytes', min: 1 }),
    bodyTimeoutMs: checkNumber(bodyTimeoutMs, {
      name: 'bodyTimeoutMs',
      min: 1,
      max: longestTimerMs,
    }),
    deadlineHeader: readDeadlineHeader(given.deadlineHeader),
    name: checkString(name, { name: 'name' }),
    version: checkString(version, { name: 'version' }),
    onError: checkListener(onError),
  }
}

function checkModels(value: unknown): ServedWith['models'] {
  const entries = Object.entries(checkRecord(value, { name: 'models' }))
  if (entries.length === 0) throw invalid('models: expected at least one, got none; give an engine')
  for (const [name, engine] of entries) {
    if (name === '') throw invalid('models: expected names that are not empty; rename the model')
    if (isObject(engine) && ('then' in engine || 'infer' in engine)) continue
    const place = `models, ${JSON.stringify(name)}`
    throw invalid(
      `${place}: expected an engine or a promise of one, got ${describe(engine)}; start it`,
    )
  }
  return new Map(entries as [string, Engine][])
}

function checkListener(value: unknown): ServedWith['onError'] {
  if (typeof value === 'function') return value as ServedWith['onError']
  throw invalid(`onError: expected a function, got ${describe(value)}; give one, or leave it out`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
