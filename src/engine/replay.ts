import { checkInteger, checkNumber, checkObject, describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { InputsOf, Pipeline } from '../pipeline/pipeline.ts'
import type { Engine } from './engine.ts'
import { checkSignal } from './infer-options.ts'
import { OpenLoop } from './open-loop.ts'
import { type ReplayReport, reportReplay } from './replay-report.ts'
import { cancelled } from './request-error.ts'

/** What is replayed, and how. */
export interface ReplayOptions<P extends Pipeline = Pipeline> {
  /** When requests are sent: milliseconds from the start, ascending, at least one, such as those of a `Trace`. */
  readonly arrivalsMs: ArrayLike<number>
  /** Inputs of requests, at least one; sent one after the other, and from the first again after the last. */
  readonly requests: readonly InputsOf<P>[]
  /** Milliseconds within which an answer attains the objective, above 0. Default: the pipeline's, if it has an objective. */
  readonly latencyMs?: number | undefined
  /** Milliseconds each request has from when it was meant to be sent, above 0. Default: no deadline. */
  readonly deadlineMs?: number | undefined
  /**
   * Requests made and answered first, and not counted, so that code is compiled and memory is touched. At least 0; default
   * 200.
   */
  readonly warmUpRequests?: number | undefined
  /** Milliseconds to wait for answers after the last request was sent, at least 0. Default 60,000. */
  readonly drainTimeoutMs?: number | undefined
  /** Aborting it rejects with MILLRACE_CANCELLED; what was sent is still pending then. Default: none. */
  readonly signal?: AbortSignal | undefined
  /** Called when the warm-up is over and the trace is about to begin. Default: none. */
  readonly onStart?: (() => void) | undefined
  /** Called four times a second, and at the end. Default: nobody is told. */
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined
}

/** How far a replay has come. */
export interface ReplayProgress {
  /** Requests sent so far, those of the warm-up aside. */
  readonly sent: number
  /** Requests answered or failed so far. */
  readonly settled: number
  /** Requests of the whole trace. */
  readonly requests: number
}

const keys = [
  'arrivalsMs',
  'requests',
  'latencyMs',
  'deadlineMs',
  'warmUpRequests',
  'drainTimeoutMs',
  'signal',
  'onStart',
  'onProgress',
] as const
const defaultWarmUpRequests = 200
const defaultDrainMs = 60_000
const warmUpAtOnce = 8
const progressEveryMs = 250

/**
 * Sends a trace's requests to an engine in real time, open-loop: each when it is meant to be sent, whether or not earlier
 * ones were answered. Latencies count from then, so that a stall of the event loop or of the engine counts against every
 * request it delays.
 *
 * A thread of its own sleeps until the next request is due, so that neither the event loop nor a core is taken meanwhile.
 *
 * @param engine Who is sent the requests; it should have nothing else to do.
 * @throws {MillraceError} (by rejecting) MILLRACE_INVALID_OPTION, MILLRACE_CANCELLED, MILLRACE_INVALID_INPUT where a request
 * of the warm-up does not fit the pipeline. Requests that fail later are counted by code.
 */
export async function replay<P extends Pipeline>(
  engine: Engine<P>,
  options: ReplayOptions<P>,
): Promise<ReplayReport> {
  const terms = readOptions(engine, options)
  await warmUp(engine, terms)
  const before = engine.stats()
  options.onStart?.()
  const loop = new OpenLoop({ ...terms, send: sender(engine, terms) })
  await watched(loop, terms)
  const { latencyMs } = terms
  return reportReplay(loop, { latencyMs, before, after: engine.stats() })
}

interface ReplayTerms<P extends Pipeline> {
  readonly arrivalsMs: ArrayLike<number>
  readonly requests: readonly InputsOf<P>[]
  readonly latencyMs: number | undefined
  readonly deadlineMs: number | undefined
  readonly warmUpRequests: number
  readonly drainTimeoutMs: number
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: ReplayProgress) => void) | undefined
}

function readOptions<P extends Pipeline>(
  engine: Engine<P>,
  options: ReplayOptions<P>,
): ReplayTerms<P> {
  checkObject(options, { name: 'replay options', keys })
  const { warmUpRequests = defaultWarmUpRequests, drainTimeoutMs = defaultDrainMs } = options
  const { latencyMs = engine.pipeline.objective?.latencyMs, deadlineMs } = options
  if (!Array.isArray(options.requests) || options.requests.length === 0) {
    throw invalid(
      `requests: expected an array of inputs, got ${describe(options.requests)}; give at least one`,
    )
  }
  return {
    arrivalsMs: checkArrivals(options.arrivalsMs),
    requests: options.requests,
    latencyMs: checkDuration(latencyMs, 'latencyMs'),
    deadlineMs: checkDuration(deadlineMs, 'deadlineMs'),
    warmUpRequests: checkInteger(warmUpRequests, { name: 'warmUpRequests', min: 0 }),
    drainTimeoutMs: checkNumber(drainTimeoutMs, { name: 'drainTimeoutMs', min: 0 }),
    signal: checkSignal(options.signal),
    onProgress: options.onProgress,
  }
}

function checkArrivals(arrivalsMs: ArrayLike<number>): ArrayLike<number> {
  const fix = 'give at least one time, none before the one that precedes it'
  if (!(arrivalsMs?.length > 0)) {
    throw invalid(`arrivalsMs: expected times in ms, got ${describe(arrivalsMs)}; ${fix}`)
  }
  for (let at = 0, lastMs = 0; at < arrivalsMs.length; at++) {
    const nextMs = arrivalsMs[at] as number // within its length
    if (!(nextMs >= lastMs && nextMs < Number.POSITIVE_INFINITY)) {
      throw invalid(
        `arrivalsMs[${at}]: expected at least ${lastMs}, got ${describe(nextMs)}; ${fix}`,
      )
    }
    lastMs = nextMs
  }
  return arrivalsMs
}

function checkDuration(value: unknown, name: string): number | undefined {
  return value === undefined ? undefined : checkNumber(value, { name, above: 0 })
}

/** The n-th request of the replay; a deadline counts from when it was meant to be sent. */
function sender<P extends Pipeline>(
  engine: Engine<P>,
  { requests, deadlineMs }: ReplayTerms<P>,
): (index: number, lateMs: number) => Promise<unknown> {
  const inputsOf = (index: number) => requests[index % requests.length] as InputsOf<P>
  if (deadlineMs === undefined) return (index) => engine.infer(inputsOf(index))
  return (index, lateMs) => {
    // A deadline that has passed already is one, too.
    return engine.infer(inputsOf(index), { deadlineMs: deadlineMs - lateMs })
  }
}

// A few at a time: batches form, and nothing is refused for lack of room.
async function warmUp<P extends Pipeline>(
  engine: Engine<P>,
  { requests, warmUpRequests, signal }: ReplayTerms<P>,
): Promise<void> {
  const next = Array.from({ length: warmUpRequests }, (_, index) => index).values()
  const serve = async () => {
    for (const index of next) {
      if (signal?.aborted) throw cancelled(signal)
      await engine.infer(requests[index % requests.length] as InputsOf<P>).catch(throwUnfit)
    }
  }
  await Promise.all(Array.from({ length: warmUpAtOnce }, serve))
}

/** What does not fit never will; anything else may go wrong once, and is counted where requests are. */
function throwUnfit(error: unknown): void {
  if (MillraceError.is(error) && error.code === 'MILLRACE_INVALID_INPUT') throw error
}

async function watched<P extends Pipeline>(
  loop: OpenLoop,
  { arrivalsMs, signal, onProgress }: ReplayTerms<P>,
): Promise<void> {
  if (signal?.aborted) throw cancelled(signal)
  const stop = () => loop.stop(cancelled(signal as AbortSignal))
  const tell = () => {
    onProgress?.({ sent: loop.sent, settled: loop.settled, requests: arrivalsMs.length })
  }
  const timer = onProgress && setInterval(tell, progressEveryMs)
  signal?.addEventListener('abort', stop)
  try {
    await loop.run()
    tell()
  } finally {
    clearInterval(timer)
    signal?.removeEventListener('abort', stop)
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
