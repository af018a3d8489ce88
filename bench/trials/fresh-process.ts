/**
 * Calls an exported function in a process of its own, so that what is measured there meets no heap,
 * compiled code, threads or loaded models of another measurement. Argument and result cross as JSON.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export type FreshCall = {
  /** URL of the module, such as the `import.meta.url` of the caller. */
  module: string
  export: string
  argument: unknown
}

/** What the entry sends back. */
export type FreshAnswer = { result: unknown } | { failure: string }

const entry = fileURLToPath(new URL('./fresh-process-entry.ts', import.meta.url))

/**
 * Standard output of the process goes to standard error.
 *
 * @throws {Error} with the stack of what the function threw, or how the process ended without an answer
 */
export async function callInFreshProcess(call: FreshCall): Promise<unknown> {
  const child = fork(entry, [JSON.stringify(call)], { stdio: ['ignore', 2, 2, 'ipc'] })
  let answer: FreshAnswer | undefined
  child.once('message', (message) => {
    answer = message as FreshAnswer
  })
  const [exitCode, signal] = await once(child, 'close')
  if (answer === undefined) {
    throw new Error(`${call.export} ended without an answer: ${signal ?? `exit code ${exitCode}`}`)
  }
  if ('failure' in answer) throw new Error(answer.failure)
  return answer.result
}
