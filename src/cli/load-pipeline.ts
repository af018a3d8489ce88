import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suggest } from '../check.ts'
import { MillraceError } from '../errors.ts'
import { packageFile } from '../package-file.ts'
import { checkPipeline } from '../pipeline/define-pipeline.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'

export const pipelineHelp = 'module that exports a pipeline, FILE or FILE#NAME'

/** A module that exports a pipeline. */
export interface PipelineModule {
  /** As it was given, without the name of the export. */
  readonly file: string
  readonly pipeline: Pipeline
  readonly exports: Readonly<Record<string, unknown>>
}

/**
 * Imports `FILE` or `FILE#NAME`: the export of that name, else the default export, else the only one that is a pipeline.
 *
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE; and whatever the module itself throws.
 */
export async function loadPipeline(given: string): Promise<PipelineModule> {
  const { file, name } = splitName(given)
  const path = resolve(file)
  if (!existsSync(path))
    throw invalid(`${file}: no such file; give a module that exports a pipeline`)
  const exports = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
  const pipeline = name === undefined ? findPipeline(file, exports) : pick(file, { exports, name })
  checkCopy(file, pipeline)
  return { file, pipeline, exports }
}

// A file's name may hold a #, too.
function splitName(given: string): { readonly file: string; readonly name: string | undefined } {
  const at = given.lastIndexOf('#')
  if (at < 0 || existsSync(resolve(given))) return { file: given, name: undefined }
  return { file: given.slice(0, at), name: given.slice(at + 1) }
}

function pick(
  file: string,
  { exports, name }: { readonly exports: PipelineModule['exports']; readonly name: string },
): Pipeline {
  const value = Object.hasOwn(exports, name) ? exports[name] : undefined
  if (looksLikePipeline(value)) return value
  const problem = value === undefined ? 'has no export' : 'exports no pipeline as'
  throw invalid(`${file}: ${problem} "${name}"; ${suggest(name, namesOf(exports))}`)
}

function findPipeline(file: string, exports: PipelineModule['exports']): Pipeline {
  if (looksLikePipeline(exports['default'])) return exports['default']
  const names = namesOf(exports)
  const [only] = names
  if (only === undefined) {
    throw invalid(
      `${file}: exports no pipeline; write \`export default definePipeline({ … })\` in it`,
    )
  }
  if (names.length === 1) return exports[only] as Pipeline
  throw invalid(
    `${file}: exports several pipelines (${names.join(', ')}) and none by default; name one: ${file}#${only}`,
  )
}

function namesOf(exports: PipelineModule['exports']): readonly string[] {
  return Object.keys(exports).filter((name) => looksLikePipeline(exports[name]))
}

// By its shape: what another copy of this package made is worth a message of its own.
function looksLikePipeline(value: unknown): value is Pipeline {
  if (typeof value !== 'object' || value === null) return false
  return ['name', 'stages', 'order', 'requestInputs', 'outputs'].every((key) => key in value)
}

function checkCopy(file: string, pipeline: Pipeline): void {
  try {
    checkPipeline(pipeline)
  } catch (cause) {
    const here = packageFile('')
    throw new MillraceError({
      code: 'MILLRACE_INVALID_PIPELINE',
      message:
        `${file}: pipeline "${pipeline.name}" was made by another copy of millrace than this command line's (${here}); ` +
        'run `npx millrace` in the folder of the application, where its own copy is found',
      cause,
    })
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_PIPELINE', message })
}
