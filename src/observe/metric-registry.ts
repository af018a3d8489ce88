import { createRequire } from 'node:module'
import { MillraceError } from '../errors.ts'

/** What is needed of a registry: those of prom-client and of its successor @prometheus-io/client fit. */
export interface MetricRegistry {
  /**
   * Adds a metric, for {@link metrics} to show.
   *
   * @param metric One as the client makes them, with `name` and `get()`.
   */
  registerMetric(metric: never): void
  /**
   * A metric that was registered, or a value that is none.
   *
   * @param name Its name, with the prefix.
   */
  getSingleMetric(name: string): unknown
  /**
   * Takes a metric out.
   *
   * @param name Its name, with the prefix.
   */
  removeSingleMetric(name: string): void
  /** All metrics in the text format. Rejects with what a metric throws; those of Millrace throw nothing. */
  metrics(): Promise<string>
  /** The media type of that text. */
  readonly contentType: string
}

/** Loads a package by its name, as `require` does. */
export type LoadPackage = (name: string) => unknown

const methods = ['registerMetric', 'getSingleMetric', 'removeSingleMetric', 'metrics'] as const

/** @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function checkRegistry(value: unknown): MetricRegistry {
  const given = value as Partial<Record<string, unknown>> | null | undefined
  const missing = methods.find((method) => typeof given?.[method] !== 'function')
  if (missing === undefined) return value as MetricRegistry
  const expected = `expected a Registry of prom-client 15, which has ${missing}()`
  throw invalid(`registry: ${expected}; give \`new Registry()\`, or leave it out for a new one`)
}

/**
 * A registry of prom-client that holds nothing yet.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION where prom-client is not installed.
 */
export function newRegistry(load: LoadPackage = createRequire(import.meta.url)): MetricRegistry {
  const { Registry } = loadPromClient(load) as { Registry: new () => MetricRegistry }
  return new Registry()
}

function loadPromClient(load: LoadPackage): unknown {
  try {
    return load('prom-client')
  } catch (cause) {
    throw invalid(
      'metrics need a registry, and prom-client, which would make one, cannot be loaded; ' +
        'run `npm install prom-client@15`, or give the `registry` of another client',
      cause,
    )
  }
}

function invalid(message: string, cause?: unknown): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message, cause })
}
