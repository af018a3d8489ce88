// How long a client is ready to wait, as its request says it.
import type { IncomingHttpHeaders } from 'node:http'
import { checkString, describe } from '../check.ts'
import { MillraceError } from '../errors.ts'

/** Milliseconds of each unit of grpc-timeout. */
const grpcUnitsMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
}

const usualHeader = 'x-request-timeout'

/**
 * The name of the header as Node gives it, undefined where what clients say is not looked at.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION
 */
export function readDeadlineHeader(given: unknown = usualHeader): string | undefined {
  if (given === false) return undefined
  return checkString(given, { name: 'deadlineHeader' }).toLowerCase()
}

/**
 * Milliseconds from the arrival of a request until its answer is worth nothing any more; undefined where it does not say.
 * The named header holds a number of milliseconds and goes before `grpc-timeout`, which holds up to 8 digits and a unit.
 *
 * @throws {MillraceError} MILLRACE_INVALID_INPUT
 */
export function readDeadline(headers: IncomingHttpHeaders, name: string): number | undefined {
  const given = headers[name]
  if (given !== undefined) return readMilliseconds(given, name)
  const grpc = headers['grpc-timeout']
  return grpc === undefined ? undefined : readGrpcTimeout(grpc)
}

/** Whether there is anything to read: cheap enough for every request. */
export function hasDeadline(headers: IncomingHttpHeaders, name: string): boolean {
  return headers[name] !== undefined || headers['grpc-timeout'] !== undefined
}

function readMilliseconds(given: string | string[], name: string): number {
  if (typeof given === 'string' && /^\d{1,15}(\.\d{1,15})?$/.test(given)) return Number(given)
  throw invalid(name, 'milliseconds, such as 150', given)
}

function readGrpcTimeout(given: string | string[]): number {
  const match = typeof given === 'string' ? /^(\d{1,8})([HMSmun])$/.exec(given) : null
  const [, amount, unit] = match ?? []
  if (amount !== undefined && unit !== undefined) {
    return Number(amount) * (grpcUnitsMs[unit] as number)
  }
  throw invalid('grpc-timeout', 'up to 8 digits and one of H, M, S, m, u, n, such as 150m', given)
}

function invalid(name: string, expected: string, given: unknown): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_INPUT',
    message: `header ${name}: expected ${expected}, got ${describe(given)}; correct it or leave it out`,
  })
}
