import { describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { Configuration } from '../pipeline/configuration.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'

/** What an engine reads of a plan; all else that a plan says is passed over. */
export interface AppliedPlan<Stages extends string = string> {
  /** How each stage is to be run; what it leaves out stays as it is. */
  readonly configuration: Configuration<Stages>
  /** Name of the pipeline that it was made for. Default: any. */
  readonly pipeline?: string | undefined
}

/**
 * The configuration, not checked yet, of what may be a plan or a configuration itself. A plan is recognised by its key
 * `configuration`; where a stage has that name, by its `version`, too.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION where it is neither, or a plan for another pipeline.
 */
export function readAppliedPlan(pipeline: Pipeline, given: unknown): unknown {
  if (typeof given !== 'object' || given === null) {
    const expected = 'expected a plan or a configuration'
    throw invalid(`apply: ${expected}, got ${describe(given)}; give an object`)
  }
  if (!isPlan(pipeline, given)) return given
  const { configuration, pipeline: name } = given
  if (name === undefined || name === pipeline.name) return configuration
  const expected = `expected a plan for pipeline "${pipeline.name}", which this engine serves`
  throw invalid(`apply: ${expected}, got one for ${describe(name)}; make a plan for this pipeline`)
}

function isPlan(
  pipeline: Pipeline,
  given: object,
): given is { configuration: unknown; pipeline?: unknown } {
  if (!Object.hasOwn(given, 'configuration')) return false
  if (!Object.hasOwn(pipeline.stages, 'configuration')) return true
  return 'version' in given && typeof given.version === 'number'
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
