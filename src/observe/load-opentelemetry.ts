import { MillraceError } from '../errors.ts'

/** The interface of OpenTelemetry, without any SDK; installed by whoever wants spans. */
export type OpenTelemetry = typeof import('@opentelemetry/api')

/** @throws {MillraceError} MILLRACE_INVALID_OPTION where it is not installed. */
export async function loadOpenTelemetry(): Promise<OpenTelemetry> {
  try {
    return await import('@opentelemetry/api')
  } catch (cause) {
    throw new MillraceError({
      code: 'MILLRACE_INVALID_OPTION',
      message:
        'traceEngine: expected the package @opentelemetry/api, which spans go through, and it is not installed; ' +
        'run `npm install @opentelemetry/api`',
      cause,
    })
  }
}
