import { describe } from '../../check.ts'
import type { Priority } from '../../engine/infer-options.ts'
import { badRequest, ProtocolError } from './protocol-error.ts'

export type Parameters = Readonly<Record<string, unknown>>

/** Parameters by what they would ask for that there is not; those without effect are let through. */
const unsupported: Readonly<Record<string, string>> = {
  sequence_id: 'sequences of requests',
  sequence_start: 'sequences of requests',
  sequence_end: 'sequences of requests',
  shared_memory_region: 'shared memory',
  classification: 'classification of outputs',
}

/** @throws {ProtocolError} 400 where there are some and they are not an object */
export function readParameters(value: unknown, where: string): Parameters | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Parameters
  throw badRequest(`${where}: expected an object, got ${describe(value)}`)
}

/** @throws {ProtocolError} 501 */
export function refuseUnsupported(parameters: Parameters | undefined, where: string): void {
  if (parameters === undefined) return
  for (const [name, what] of Object.entries(unsupported)) {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (value === undefined || value === 0 || value === '' || value === false) continue
    throw new ProtocolError(
      501,
      `${where}: ${name} asks for ${what}, which this server does not have`,
    )
  }
}

/** Which flag there is. @throws {ProtocolError} 400 where it is not a boolean */
export function readFlag(
  parameters: Parameters | undefined,
  name: string,
  where: string,
): boolean | undefined {
  const value = parameters?.[name]
  if (value === undefined || typeof value === 'boolean') return value
  throw badRequest(`${where}, ${name}: expected true or false, got ${describe(value)}`)
}

/** Priority and deadline. @throws {ProtocolError} 400, 501 */
export function readTerms(parameters: Parameters | undefined): {
  readonly priority: Priority | undefined
  readonly deadlineMs: number | undefined
} {
  if (parameters === undefined) return { priority: undefined, deadlineMs: undefined }
  refuseUnsupported(parameters, 'parameters')
  const timeoutUs = readCount(parameters, 'timeout', 'microseconds, 0 for no limit')
  return {
    priority: priorityOf(readCount(parameters, 'priority', '1 for the highest, 0 for the default')),
    deadlineMs: timeoutUs === 0 ? undefined : timeoutUs / 1000,
  }
}

function readCount(parameters: Parameters, name: string, meaning: string): number {
  const value = parameters[name]
  if (value === undefined) return 0
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw badRequest(
    `parameters, ${name}: expected a whole number (${meaning}), got ${describe(value)}`,
  )
}

/** The protocol has any number of levels, an engine three. */
function priorityOf(level: number): Priority | undefined {
  if (level === 0) return undefined
  if (level === 1) return 'high'
  return level === 2 ? 'normal' : 'low'
}
