// What runs in the worker of a js() stage, called by tinypool: first what may fail, importing the module and preparing it;
// then, once that is known to be done, a port is opened. From then on the core speaks to this thread directly.
import { describe, suggest } from '../check.ts'
import { loadAddon } from '../native/load.ts'
import { setupExport } from '../pipeline/js.ts'
import type { StageFunction } from '../pipeline/stage-function.ts'
import { type PlainError, plainError, summaryOf } from './function-error.ts'
import { FunctionServer, type ServedFunction } from './function-server.ts'

export interface WorkerTask {
  readonly served: ServedFunction
  /** A file: URL. */
  readonly url: string
  readonly exportName: string
  /** For the module's `setup`. */
  readonly data: unknown
}

/** Undefined: it is prepared. Errors come as values: of those thrown, a worker loses the code. */
export type WorkerOpening = { readonly message: string; readonly cause: PlainError | undefined }

interface Prepared {
  readonly run: StageFunction
  readonly state: unknown
}

let prepared: Prepared | undefined

export async function openWorker(task: WorkerTask): Promise<WorkerOpening | undefined> {
  const { url, exportName, data } = task
  const attempt = { doing: `importing ${url}` }
  try {
    const module = (await import(url)) as Readonly<Record<string, unknown>>
    const run = module[exportName]
    if (typeof run !== 'function') return missing({ url, exportName, run, module })
    attempt.doing = `${setupExport}() of ${url}`
    const setup = module[setupExport]
    const state: unknown = typeof setup === 'function' ? await setup(data) : undefined
    attempt.doing = `loading the addon for ${url}`
    loadAddon()
    prepared = { run: run as StageFunction, state }
    return undefined
  } catch (error) {
    const cause = plainError(error)
    return { message: `${attempt.doing} ${summaryOf(cause)}`, cause }
  }
}

/** Takes calls from now on: the first of them may end this worker at once. */
export function serve(served: ServedFunction): void {
  if (prepared !== undefined) new FunctionServer(served, { addon: loadAddon(), ...prepared })
}

function missing(found: {
  url: string
  exportName: string
  run: unknown
  module: Readonly<Record<string, unknown>>
}): WorkerOpening {
  const names = Object.keys(found.module).filter((name) => name !== setupExport)
  const problem = `${found.url}: expected a function exported as "${found.exportName}", got ${describe(found.run)}`
  const remedy = names.length === 0 ? 'export it' : suggest(found.exportName, names)
  return { message: `${problem}; ${remedy}`, cause: undefined }
}
