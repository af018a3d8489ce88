import { Engine } from '../engine/engine.ts'
import type { EngineOptions } from '../engine/engine-options.ts'
import { MillraceError } from '../errors.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'

/** An engine that is run to be looked at. */
export type MeasuringEngine = Engine

/** What ends a profile early. */
export interface RunTerms {
  readonly signal: AbortSignal | undefined
}

/** @throws {MillraceError} MILLRACE_CANCELLED once the signal is aborted. */
export function throwIfCancelled({ signal }: RunTerms): void {
  if (signal?.aborted !== true) return
  throw new MillraceError({
    code: 'MILLRACE_CANCELLED',
    message: 'the profile was cancelled through its signal; nothing of it is kept',
    cause: signal.reason,
  })
}

/**
 * Runs `use` with an engine that waits for whoever is late, and closes it whatever happens; at once, with what runs in it,
 * when the signal is aborted. `loadedMb` is how much resident memory starting it took.
 */
export async function withEngine<Result>(
  pipeline: Pipeline,
  given: Pick<EngineOptions, 'configuration' | 'maxPendingRows'> & { readonly terms: RunTerms },
  use: (engine: MeasuringEngine, loadedMb: number) => Promise<Result>,
): Promise<Result> {
  const { terms, ...options } = given
  throwIfCancelled(terms)
  const beforeMb = residentMb()
  const engine = await Engine.start(pipeline, { ...options, overload: 'queue', warmUp: false })
  const loadedMb = residentMb() - beforeMb
  const abort = (): void => void engine.close({ timeoutMs: 0 })
  terms.signal?.addEventListener('abort', abort, { once: true })
  try {
    throwIfCancelled(terms)
    return await use(engine, loadedMb)
  } catch (error) {
    throwIfCancelled(terms) // instead of what the closing engine says
    throw error
  } finally {
    terms.signal?.removeEventListener('abort', abort)
    await engine.close({ timeoutMs: 0 })
  }
}

/** Resident memory of this process. */
export function residentMb(): number {
  return process.memoryUsage.rss() / 2 ** 20
}
