import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkObject, checkString, describe } from '../check.ts'
import { definitionError } from './definition-error.ts'
import { looksLikeUrl, pathOfUrl } from './file-url.ts'
import {
  checkFunctionOptions,
  type DeclaredInputs,
  type DeclaredOutputs,
  type FunctionBase,
  type FunctionOptions,
  functionKeys,
  type ReferencesIn,
} from './function-options.ts'
import { sealStage } from './stage-options.ts'

/** How a function of a module is wired into its pipeline. */
export interface JsOptions<
  Inputs extends DeclaredInputs = DeclaredInputs,
  Outputs extends DeclaredOutputs = DeclaredOutputs,
  Decider extends string = never,
  Gathered extends string = never,
> extends FunctionOptions<Inputs, Outputs, Decider, Gathered> {
  /** Name of the export that is the function; not 'setup'. Default 'default'. */
  readonly export?: string | undefined
  /**
   * Handed to the module's optional `setup` export in each worker; copied now, by the rules of `structuredClone`.
   * Default undefined.
   */
  readonly data?: unknown
}

/** A stage that runs a function in worker threads: frozen, and made by {@link js} only. */
export interface JsStage<
  Input extends string = string,
  Decider extends string = string,
  Gathered extends string = string,
> extends FunctionBase<Input, Decider, Gathered> {
  /** Tells it from stages of other kinds. */
  readonly kind: 'js'
  /** The module, as a file: URL. */
  readonly url: string
  /** Name of the export that is the function. */
  readonly exportName: string
  /** What `setup` is given in each worker: a copy of what {@link js} was given; undefined where that was nothing. */
  readonly data: unknown
}

/** The export of a module that prepares a worker; its result is `context.state`. */
export const setupExport = 'setup'

const code = 'MILLRACE_INVALID_PIPELINE'
const keys = [...functionKeys, 'export', 'data'] as const

/**
 * A stage that runs an exported function of a module in worker threads, one worker for each replica: for work that
 * would keep the event loop busy. See {@link StageFunction} for what the function is given and returns. A module may
 * also export `setup(data)`, run once in each worker before its first call; what it returns or resolves to is
 * `context.state`.
 *
 * @param url The module: a file: URL, such as `new URL('./segment.js', import.meta.url)`, or an absolute path.
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE where an option has the wrong form. The module is not looked at
 * until an engine starts.
 */
export function js<
  const Inputs extends DeclaredInputs,
  const Outputs extends DeclaredOutputs,
  const Decider extends string = never,
  const Gathered extends string = never,
>(
  url: string | URL,
  options: JsOptions<Inputs, Outputs, Decider, Gathered>,
): JsStage<ReferencesIn<Inputs>, NoInfer<Decider>, NoInfer<Gathered>> {
  const href = checkModule(url)
  const where = `js(${href})`
  const given = checkObject(options, { name: where, keys, code })
  const { export: exportName = 'default' } = given
  const stage: JsStage = {
    kind: 'js',
    url: href,
    exportName: checkExport(exportName, `${where}, export`),
    data: copyOf(given.data, `${where}, data`),
    ...checkFunctionOptions(given, { where, batched: false }),
  }
  return sealStage(stage) as JsStage<ReferencesIn<Inputs>, Decider, Gathered>
}

function checkModule(value: unknown): string {
  const where = 'js(), url'
  const remedy = "give a file, such as new URL('./stage.js', import.meta.url)"
  const fix = `modules must be files; ${remedy}`
  const text = value instanceof URL ? value.href : checkString(value, { name: where, code, fix })
  if (/^file:/i.test(text) || looksLikeUrl(text)) {
    const url = new URL(text) // any text that begins so is one
    pathOfUrl(url, { where, fix })
    return url.href
  }
  if (isAbsolute(text)) return pathToFileURL(text).href
  throw definitionError(
    where,
    `expected a file: URL or an absolute path, got ${describe(text)}; ${remedy}`,
  )
}

function checkExport(value: unknown, where: string): string {
  const name = checkString(value, { name: where, code })
  if (name !== setupExport) return name
  throw definitionError(where, `"${setupExport}" prepares the worker; name another function`)
}

function copyOf(data: unknown, where: string): unknown {
  try {
    return structuredClone(data)
  } catch (cause) {
    const problem = `expected a value that can be copied to a worker: ${(cause as Error).message}`
    throw definitionError(where, `${problem}; create what cannot in the module's setup()`)
  }
}
