/** The other side of fresh-process.ts. */
import type { FreshAnswer, FreshCall } from './fresh-process.ts'

// Nobody is left to answer: the process that asked was interrupted.
process.once('disconnect', () => process.exit(1))

const call = JSON.parse(process.argv[2] ?? '') as FreshCall
const answer = await answerTo(call).catch(
  (error: unknown): FreshAnswer => ({
    failure: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }),
)
// Whatever a measurement left open does not keep the process.
process.send?.(answer, () => process.exit())

async function answerTo({ module, export: name, argument }: FreshCall): Promise<FreshAnswer> {
  const exports = (await import(module)) as Record<string, unknown>
  const measure = exports[name]
  if (typeof measure !== 'function') throw new TypeError(`${module} exports no function ${name}`)
  return { result: await measure(argument) }
}
