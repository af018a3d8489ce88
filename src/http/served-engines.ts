// The engines behind a web application, of which some may still be starting.
import { setTimeout } from 'node:timers/promises'
import { checkRecord, describe, suggest } from '../check.ts'
import type { EngineState } from '../engine/described-values.ts'
import type { InferOptions } from '../engine/infer-options.ts'
import { MillraceError } from '../errors.ts'
import type { Tensor } from '../pipeline/tensor.ts'

/** What of an engine is used, so that engines of every pipeline fit. */
export interface ServedEngine {
  /** Whether it takes requests. */
  readonly state: EngineState
  /**
   * Runs one request of one or more rows.
   *
   * @param inputs Those of its pipeline: what is known of it here are its methods alone.
   * @throws {MillraceError} As `Engine.infer` does.
   */
  infer(inputs: never, options?: InferOptions): Promise<Readonly<Record<string, Tensor>>>
  /**
   * Ends it.
   *
   * @param options How long it may take. Default: as long as the engine allows by itself.
   * @throws {MillraceError} As `Engine.close` does.
   */
  close(options?: {
    /** Milliseconds to wait for pending requests, at least 0. Default 10,000. */
    readonly timeoutMs?: number | undefined
  }): Promise<void>
}

/** An engine, or the promise of one that is starting. */
export type EngineSource = ServedEngine | Promise<ServedEngine>

/** What became of an engine: `starting` and `failed` are before there is one, the others are its own state. */
export type ServedState = 'starting' | 'failed' | EngineState

interface Entry {
  readonly name: string
  engine: ServedEngine | undefined
  failure: { readonly reason: unknown } | undefined
  /** Fulfils, never rejects, once there is an engine or a failure. */
  settled: Promise<void>
}

/** The name of an engine that was given without one. */
const onlyName = 'default'

export class ServedEngines {
  readonly #entries = new Map<string, Entry>()
  /** What a request gets that names none. */
  readonly #only: Entry | undefined

  /** @throws {MillraceError} MILLRACE_INVALID_OPTION */
  constructor(choice: { readonly engine?: unknown; readonly engines?: unknown }) {
    for (const [name, source] of Object.entries(checkChoice(choice))) {
      this.#entries.set(name, toEntry(name, checkSource(name, source)))
    }
    if (this.#entries.size === 1) [this.#only] = this.#entries.values()
  }

  /**
   * The engine of that name, or the only one.
   *
   * @throws {MillraceError} MILLRACE_NOT_READY, MILLRACE_INVALID_OPTION where there is none of that name
   */
  get(name: string | undefined): ServedEngine {
    const entry = name === undefined ? this.#only : this.#entries.get(name)
    if (entry === undefined) throw unknownEngine(name, this.#entries.keys())
    if (entry.engine === undefined) throw notReady(entry)
    return entry.engine
  }

  /**
   * Fulfils when every one has started.
   *
   * @throws {MillraceError} (by rejecting) MILLRACE_NOT_READY as soon as one could not
   */
  async started(): Promise<void> {
    await Promise.all(
      [...this.#entries].map(([name, { settled }]) => settled.then(() => this.get(name))),
    )
  }

  /** What became of each, by name. */
  states(): Readonly<Record<string, ServedState>> {
    return Object.fromEntries([...this.#entries].map(([name, entry]) => [name, stateOf(entry)]))
  }

  /** Whether every one has started, is warm, and takes requests. */
  get ready(): boolean {
    for (const entry of this.#entries.values()) if (stateOf(entry) !== 'serving') return false
    return true
  }

  /** Closes every engine, one that is still starting as soon as it has started; for that, `timeoutMs` are waited at most. */
  async close(timeoutMs: number): Promise<void> {
    const closing = [...this.#entries.values()].map((entry) => {
      if (entry.engine !== undefined) return entry.engine.close({ timeoutMs })
      const ended = entry.settled.then(() => entry.engine?.close({ timeoutMs }))
      return Promise.race([ended, elapsed(timeoutMs)])
    })
    await Promise.all(closing)
  }
}

async function elapsed(ms: number): Promise<void> {
  await setTimeout(ms, undefined, { ref: false })
}

function toEntry(name: string, source: EngineSource): Entry {
  const entry: Entry = { name, engine: undefined, failure: undefined, settled: Promise.resolve() }
  if (!isPromise(source)) {
    entry.engine = source
    return entry
  }
  entry.settled = source.then(
    (engine) => {
      entry.engine = engine
    },
    (reason: unknown) => {
      entry.failure = { reason }
    },
  )
  return entry
}

function stateOf({ engine, failure }: Entry): ServedState {
  if (engine !== undefined) return engine.state
  return failure === undefined ? 'starting' : 'failed'
}

function notReady({ name, failure }: Entry): MillraceError {
  const which = name === onlyName ? 'the engine' : `engine ${JSON.stringify(name)}`
  if (failure === undefined) {
    return new MillraceError({
      code: 'MILLRACE_NOT_READY',
      message: `${which} is still starting; retry later`,
      retryAfterMs: 1000,
    })
  }
  const { reason } = failure
  const why = reason instanceof Error ? reason.message : describe(reason)
  return new MillraceError({
    code: 'MILLRACE_NOT_READY',
    message: `${which} did not start: ${why}`,
    cause: reason,
  })
}

function unknownEngine(name: string | undefined, names: Iterable<string>): MillraceError {
  const wrong =
    name === undefined ? 'expected the name of one of several' : `there is none called "${name}"`
  return invalid(`engine: ${wrong}; ${suggest(name ?? '', names)}`)
}

function checkChoice({
  engine,
  engines,
}: {
  readonly engine?: unknown
  readonly engines?: unknown
}): Readonly<Record<string, unknown>> {
  if ((engine === undefined) === (engines === undefined)) {
    const got = engine === undefined ? 'neither' : 'both'
    throw invalid(
      `engine, engines: expected one of the two, got ${got}; give engines by name, or one engine`,
    )
  }
  if (engines === undefined) return { [onlyName]: engine }
  const named = checkRecord(engines, { name: 'engines' })
  if (Object.keys(named).length > 0) return named
  throw invalid('engines: expected at least one, got an empty object; give them by name')
}

function checkSource(name: string, source: unknown): EngineSource {
  if (isPromise(source) || isEngine(source)) return source
  const what = name === onlyName ? 'engine' : `engines.${name}`
  throw invalid(
    `${what}: expected an Engine, or a promise of one, got ${describe(source)}; give what Engine.start returns`,
  )
}

function isPromise(value: unknown): value is Promise<ServedEngine> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function'
}

// By its methods, so that an engine of another copy of the package is one, too.
function isEngine(value: unknown): value is ServedEngine {
  const { infer, close } = (value ?? {}) as { infer?: unknown; close?: unknown }
  return typeof infer === 'function' && typeof close === 'function'
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
