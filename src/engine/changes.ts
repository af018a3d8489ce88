import { checkObject, suggest } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { NativeEngine, NativeLoads, NativeModel, NativeStageChange } from '../native/addon.ts'
import { loadAddon } from '../native/load.ts'
import { fromNative } from '../native/native-error.ts'
import type { BoundPipeline } from '../pipeline/bound-pipeline.ts'
import { nextTier } from '../pipeline/choose-tier.ts'
import { sourceOf } from '../pipeline/chosen-models.ts'
import {
  type CompleteConfiguration,
  type Configuration,
  changeConfiguration,
  checkReplicas,
  completeConfiguration,
  type ResolvedStageConfiguration,
} from '../pipeline/configuration.ts'
import { checkSource, type ModelSource, modelLabel } from '../pipeline/model-source.ts'
import type { OnnxStage } from '../pipeline/onnx.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { checkReplaceable } from '../pipeline/replaceable.ts'
import { readAppliedPlan } from './applied-plan.ts'
import type { EngineEmitter } from './events.ts'
import { Fallbacks } from './fallbacks.ts'
import type { FunctionHosts } from './function-hosts.ts'
import { checkSignal } from './infer-options.ts'
import { listedModel, loadAll, releaseAll, type WantedModel, wantedModel } from './models.ts'
import { type PlacedFallback, placeStages } from './place-stages.ts'
import { cancelled } from './request-error.ts'

/** A model to serve in place of another, and when to give it up. */
export interface SwapOptions {
  /** A path, a file: URL, or the bytes of a model. */
  readonly source: ModelSource
  /** Aborting it ends the loading of the new model; from warming up on it has no effect. Default: none. */
  readonly signal?: AbortSignal | undefined
}

/** What changes are made to. */
export interface Changeable<Stages extends string> {
  readonly pipeline: Pipeline
  readonly bound: BoundPipeline
  readonly native: NativeEngine
  /** The workers of functions. */
  readonly hosts: FunctionHosts
  readonly configuration: ReadonlyMap<string, ResolvedStageConfiguration>
  /** Where it is not what was wanted. */
  readonly fallbacks: readonly PlacedFallback[]
  /** Every load of the engine can be cancelled through it. */
  readonly loads: NativeLoads
  readonly events: EngineEmitter<Stages>
}

/**
 * Changes what an engine serves and how, one change after the other in the order of the calls, and knows what that is.
 * Arguments are checked when it is a change's turn: what it is checked against may have changed before.
 */
export class Changes<Stages extends string> {
  readonly fallbacks: Fallbacks<Stages>
  readonly #engine: Changeable<Stages>
  #configuration: ReadonlyMap<string, ResolvedStageConfiguration>
  /** Models that were swapped in and still serve, but for those that their stages list. */
  readonly #sources = new Map<string, string | Uint8Array>()
  #last: Promise<unknown> = Promise.resolve()
  readonly #closing = new AbortController()

  constructor(engine: Changeable<Stages>) {
    this.#engine = engine
    this.#configuration = engine.configuration
    this.fallbacks = new Fallbacks({
      events: engine.events,
      stages: engine.bound.stages.map(({ name }) => name),
      tierOf: (stage) => this.#now(stage).tier,
      moveOn: (stage, reason) => this.#moveOn(stage, reason),
    })
    this.fallbacks.started(engine.fallbacks)
  }

  get configuration(): CompleteConfiguration<Stages> {
    return completeConfiguration(this.#configuration)
  }

  async scale(stage: Stages, replicas: number): Promise<void> {
    const index = this.#indexOf(stage, 'scale')
    const count = checkReplicas(replicas, 'scale: replicas')
    this.#checkOpen()
    await this.#inTurn(stage, async () => {
      const before = this.#now(stage)
      try {
        await this.#withWorkers([[stage, count]], () => this.#engine.native.scale(index, count))
      } finally {
        const { replicas } = this.#engine.native.stats().stages[stage] ?? before
        this.#set(stage, { ...before, replicas })
      }
      this.#engine.events.emit('scale', { stage, before: before.replicas, after: count })
    })
  }

  async swap(stage: Stages, model: unknown): Promise<void> {
    this.#indexOf(stage, 'swap')
    const definition = this.#onnx(stage)
    const { source, signal } = readSwap(model)
    this.#checkOpen()
    await this.#inTurn(stage, async () => {
      this.#checkOpen()
      const wanted = wantedModel(stage, { stage: definition, tier: this.#now(stage).tier, source })
      const models = await this.#load([wanted], signal)
      try {
        this.#checkReplaceable([wanted], { models, call: 'swap' })
        await this.#engine.native.reconfigure([this.#changeOf(stage, { model: models.get(stage) })])
      } finally {
        releaseAll(models)
      }
      const before = modelLabel(this.#sourceOf(stage))
      const model = listedModel(definition, source)
      if (model === undefined) this.#sources.set(stage, source)
      else this.#sources.delete(stage)
      this.#set(stage, { ...this.#now(stage), model })
      this.#engine.events.emit('swap', { stage, before, after: modelLabel(source) })
    })
  }

  async apply(plan: unknown): Promise<void> {
    const { pipeline } = this.#engine
    const configuration = readAppliedPlan(pipeline, plan)
    changeConfiguration(pipeline, { configuration, current: this.#configuration })
    this.#checkOpen()
    await this.#inTurn(undefined, async () => {
      this.#checkOpen()
      const before = this.configuration
      const current = this.#configuration
      const { stages: next, fallbacks } = await placeStages(
        (faults) => changeConfiguration(pipeline, { configuration, current, faults }),
        { pipeline, serving: current },
      )
      await this.#applyNow(next)
      this.#configuration = next
      for (const [name, { model }] of next) if (model !== undefined) this.#sources.delete(name)
      this.#engine.events.emit('apply', { before, after: this.configuration })
      const given = configuration as Configuration<string> // it was resolved
      this.fallbacks.applied(fallbacks, (name) => given[name]?.tier !== undefined)
    })
  }

  /** Ends loads in progress; every change that has not begun, but scaling, is refused. */
  close(): void {
    this.#closing.abort()
    loadAddon().cancelLoads(this.#engine.loads)
  }

  /** Fulfils when no change is in progress; never rejects. */
  async whenIdle(): Promise<void> {
    await this.#last
  }

  /** A model goes on where its stage lists it next, as soon as it is loaded there. False for a kernel, which knows what to do. */
  #moveOn(stage: string, reason: string): boolean {
    if (!this.#isOnnx(stage)) return false
    const before = this.#now(stage).tier
    const tier = nextTier(this.#onnx(stage), before)
    if (tier === undefined) return true // it has moved since
    this.apply({ [stage]: { tier } }).then(
      () => this.fallbacks.moved({ stage, before, after: this.#now(stage).tier, reason }),
      () => undefined, // told by `error`, or the engine is closed
    )
    return true
  }

  async #applyNow(next: ReadonlyMap<string, ResolvedStageConfiguration>): Promise<void> {
    const changed = [...next].filter(([name, stage]) => !sameStage(stage, this.#now(name)))
    const wanted = changed.flatMap(([name, { tier, model }]): WantedModel[] => {
      const now = this.#now(name)
      const same = tier === now.tier && model === now.model
      if (same || !this.#isOnnx(name)) return []
      const source = this.#sourceOf(name, model)
      return [wantedModel(name, { stage: this.#onnx(name), tier, source })]
    })
    const moved = changed.filter(([name, { tier }]) => tier !== this.#now(name).tier)
    const tiers = moved.map(([name, { tier }]) => [name, tier] as const)
    const models = await this.#load(wanted)
    const kernels = await this.#engine.hosts.kernelsOn(tiers).catch((error: unknown) => {
      releaseAll(models)
      throw error
    })
    const changes = changed.map(([name, stage]) => {
      return this.#changeOf(name, { model: models.get(name) ?? kernels.run.get(name), stage })
    })
    const workers = changed.map(([name, { replicas }]) => [name, replicas] as const)
    try {
      this.#checkReplaceable(wanted, { models, call: 'apply' })
      await this.#withWorkers(workers, () => this.#engine.native.reconfigure(changes))
    } finally {
      kernels.release()
      releaseAll(models)
    }
  }

  /** All of the models can take the places of those that serve. */
  #checkReplaceable(
    wanted: readonly WantedModel[],
    { models, call }: { models: ReadonlyMap<string, NativeModel>; call: string },
  ): void {
    for (const { name, source } of wanted) {
      const where = `${call}: stage "${name}" (${modelLabel(source)})`
      const model = models.get(name) as NativeModel // it was loaded for this
      checkReplaceable(this.#engine.bound, { stage: this.#indexOf(name, call), model, where })
    }
  }

  /** What a stage is to run where this is its model; what was swapped in for as long as it has no name. */
  #sourceOf(name: string, model = this.#now(name).model): string | Uint8Array {
    const swapped = model === undefined ? this.#sources.get(name) : undefined
    return swapped ?? sourceOf(this.#engine.pipeline.stages[name] as OnnxStage, model)
  }

  /** Workers come before the replicas that need them, and go after those that need them no more. */
  async #withWorkers(
    wanted: readonly (readonly [stage: string, replicas: number])[],
    change: () => Promise<void>,
  ): Promise<void> {
    const { hosts } = this.#engine
    const before = wanted.map(([stage]) => [stage, hosts.size(stage)] as const)
    const shrinkTo = (sizes: typeof wanted) => {
      for (const [stage, replicas] of sizes) hosts.shrink(stage, replicas)
    }
    try {
      await Promise.all(wanted.map(([stage, replicas]) => hosts.grow(stage, replicas)))
      await change()
    } catch (error) {
      shrinkTo(before)
      throw error
    }
    shrinkTo(wanted)
  }

  /**
   * Rejects at once where it is given up: loading itself ends at its next step, and what still comes of it is let go of.
   */
  async #load(
    wanted: readonly WantedModel[],
    signal?: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, NativeModel>> {
    const closing = this.#closing.signal
    const given = signal === undefined ? closing : AbortSignal.any([signal, closing])
    const reason = () => (signal?.aborted ? cancelled(signal) : closed())
    if (given.aborted) throw reason()
    const addon = loadAddon()
    const loads = addon.openLoads(this.#engine.loads)
    const { gpuMemoryBytes } = this.#engine.hosts
    const loading = loadAll(wanted, { loads, background: true, gpuMemoryBytes })
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        addon.cancelLoads(loads)
        reject(reason())
        loading.then(releaseAll, () => undefined)
      }
      given.addEventListener('abort', giveUp, { once: true })
      loading.then(resolve, reject).finally(() => given.removeEventListener('abort', giveUp))
    })
  }

  /** What fails in its turn leaves the turns after it alone. */
  async #inTurn(stage: Stages | undefined, change: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(change)
    this.#last = turn.catch(() => undefined)
    try {
      await turn
    } catch (thrown) {
      const error = fromNative(thrown, stage)
      const code = MillraceError.is(error) ? error.code : undefined
      if (
        code === 'MILLRACE_CLOSED' ||
        (this.#closing.signal.aborted && code === 'MILLRACE_CANCELLED')
      ) {
        throw closed()
      }
      if (MillraceError.is(error)) this.#engine.events.emit('error', error)
      throw error
    }
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw closed()
  }

  #changeOf(
    name: string,
    given: { model: NativeStageChange['model']; stage?: ResolvedStageConfiguration },
  ): NativeStageChange {
    const { replicas, maxBatch, maxDelayMs, threads } = given.stage ?? this.#now(name)
    const stage = this.#engine.bound.stages.findIndex((one) => one.name === name)
    return { stage, model: given.model, replicas, maxBatch, maxDelayMs, threads }
  }

  #indexOf(stage: string, call: string): number {
    const stages = this.#engine.bound.stages.map(({ name }) => name)
    const index = stages.indexOf(stage)
    if (index >= 0) return index
    throw new MillraceError({
      code: 'MILLRACE_INVALID_OPTION',
      message: `${call}: no stage ${JSON.stringify(stage)}; ${suggest(String(stage), stages)}`,
    })
  }

  #isOnnx(stage: string): boolean {
    return (this.#engine.pipeline.stages[stage] as { kind: string }).kind === 'onnx'
  }

  #onnx(stage: string): OnnxStage {
    if (this.#isOnnx(stage)) return this.#engine.pipeline.stages[stage] as OnnxStage
    throw new MillraceError({
      code: 'MILLRACE_INVALID_OPTION',
      message: `swap: expected a stage made by onnx(), "${stage}" runs a function or a kernel; start another engine`,
    })
  }

  #now(stage: string): ResolvedStageConfiguration {
    return this.#configuration.get(stage) as ResolvedStageConfiguration // one for each stage
  }

  #set(stage: string, now: ResolvedStageConfiguration): void {
    this.#configuration = new Map([...this.#configuration, [stage, now]])
  }
}

function readSwap(model: unknown): {
  readonly source: string | Uint8Array
  readonly signal: AbortSignal | undefined
} {
  const bare = typeof model !== 'object' || model instanceof Uint8Array || model instanceof URL
  if (bare) return { source: checkSource(model, 'swap: source'), signal: undefined }
  const given = checkObject(model, { name: 'swap options', keys: ['source', 'signal'] })
  return { source: checkSource(given.source, 'swap: source'), signal: checkSignal(given.signal) }
}

function sameStage(one: ResolvedStageConfiguration, other: ResolvedStageConfiguration): boolean {
  return (
    one.tier === other.tier &&
    one.replicas === other.replicas &&
    one.maxBatch === other.maxBatch &&
    one.maxDelayMs === other.maxDelayMs &&
    one.model === other.model
  )
}

function closed(): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_CLOSED',
    message: 'the engine is closed or closing and is not changed any more; start another one',
  })
}
