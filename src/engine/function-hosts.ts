// Everything that runs functions for one engine: a crew of workers for each js() stage, a port on this event loop for each
// inline() stage and for each function that takes the place of a kernel. Nothing here leads to the engine, so that one that is
// forgotten is collected.
import type { NativeEngine, NativeFunction, NativeModel } from '../native/addon.ts'
import { loadAddon } from '../native/load.ts'
import type { ResolvedStageConfiguration } from '../pipeline/configuration.ts'
import { functionSignatures } from '../pipeline/function-signatures.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { type FunctionStage, isFunctionStage, type Stage, stageLabel } from '../pipeline/stage.ts'
import type { StageFunction } from '../pipeline/stage-function.ts'
import type { ModelSignature } from '../pipeline/tensor-spec.ts'
import { readTier } from '../pipeline/tier.ts'
import { FunctionServer, type ServedFunction } from './function-server.ts'
import { loadKernels, type WantedKernel } from './kernels.ts'
import { releaseAll } from './models.ts'
import { WorkerCrew } from './worker-crew.ts'

/** One stage of a function or a kernel, as the core runs it. */
interface Host {
  readonly stage: FunctionStage
  readonly signature: ModelSignature
  /** Undefined where there is a kernel alone. */
  readonly native: NativeFunction | undefined
  readonly crew: WorkerCrew | undefined
  readonly server: FunctionServer | undefined
}

type Runs = NativeModel | NativeFunction

/** An engine that nobody holds and that has nothing pending takes its workers with it. */
const forgotten = new FinalizationRegistry<FunctionHosts>((hosts) => void hosts.close())

export class FunctionHosts {
  readonly #hosts: ReadonlyMap<string, Host>
  /** Of stages on a device, until an engine has them. */
  #kernels: ReadonlyMap<string, NativeModel> = new Map()

  /** By device; none: no limit. */
  readonly gpuMemoryBytes: ReadonlyMap<number, number>

  private constructor(
    hosts: ReadonlyMap<string, Host>,
    gpuMemoryBytes: ReadonlyMap<number, number> = new Map(),
  ) {
    this.#hosts = hosts
    this.gpuMemoryBytes = gpuMemoryBytes
  }

  /**
   * Makes the functions of a pipeline, loads its kernels, and starts workers, as many as there are to be replicas.
   *
   * @throws {MillraceError} MILLRACE_STAGE_FAILED naming the stage, with what its module threw as the cause;
   * MILLRACE_MODEL_LOAD where a kernel does not compile; MILLRACE_INVALID_PIPELINE.
   */
  static async start(
    pipeline: Pipeline,
    given: {
      readonly models: ReadonlyMap<string, ModelSignature>
      readonly configuration: ReadonlyMap<string, ResolvedStageConfiguration>
      readonly gpuMemoryBytes?: ReadonlyMap<number, number>
    },
  ): Promise<FunctionHosts> {
    const stages = Object.entries<Stage>(pipeline.stages)
    const functions = stages.flatMap(([name, stage]) => {
      return isFunctionStage(stage) ? [[name, stage] as const] : []
    })
    if (functions.length === 0) return new FunctionHosts(new Map())
    const signatures = functionSignatures(pipeline, given.models)
    const made = functions.map(([name, stage]) => {
      const signature = signatures.get(name) as ModelSignature // it has one for each function
      return [name, makeHost(name, { stage, signature })] as const
    })
    const hosts = new FunctionHosts(new Map(made), given.gpuMemoryBytes)
    const tiers = [...given.configuration].map(([name, { tier }]) => [name, tier] as const)
    const starts = [
      hosts.#loadKernels(tiers),
      ...made.map(([name]) => hosts.grow(name, given.configuration.get(name)?.replicas ?? 1)),
    ]
    const failed = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected')
    if (failed?.status !== 'rejected') return hosts
    await hosts.close()
    throw failed.reason
  }

  async #loadKernels(tiers: Tiers): Promise<void> {
    this.#kernels = await this.#load(tiers)
  }

  async #load(tiers: Tiers): Promise<ReadonlyMap<string, NativeModel>> {
    const wanted = tiers.flatMap(([name, tier]): WantedKernel[] => {
      const host = this.#hosts.get(name)
      const stage = host?.stage
      const place = readTier(tier)
      if (host === undefined || stage?.kind !== 'cuda' || place?.provider !== 'cuda') return []
      const { device } = place
      const memoryBytes = this.gpuMemoryBytes.get(device) ?? Number.POSITIVE_INFINITY
      return [{ name, stage, signature: host.signature, device, memoryBytes }]
    })
    const kernels = await loadKernels(wanted)
    return new Map([...kernels].map(([name, kernel]) => [name, this.#withFallback(name, kernel)]))
  }

  /** The kernel, and from the loss of its device on the function in its place, where there is one. */
  #withFallback(name: string, kernel: NativeModel): NativeModel {
    const fallback = this.#hosts.get(name)?.native
    if (fallback === undefined) return kernel
    const both = loadAddon().withFallback(kernel, fallback)
    kernel.release()
    return both
  }

  /** What runs each stage. */
  get natives(): ReadonlyMap<string, Runs> {
    const functions = [...this.#hosts].flatMap(([name, { native }]) => {
      return native === undefined ? [] : [[name, native] as const]
    })
    return new Map<string, Runs>([...functions, ...this.#kernels])
  }

  /**
   * What is to run stages that have kernels, by name, on other tiers than before: kernels loaded anew, to be released by the
   * caller, or functions.
   *
   * @throws {MillraceError} as {@link start} does.
   */
  async kernelsOn(tiers: Tiers): Promise<{
    readonly run: ReadonlyMap<string, Runs>
    readonly release: () => void
  }> {
    const own = tiers.filter(([name]) => this.#hosts.get(name)?.stage.kind === 'cuda')
    const loaded = await this.#load(own)
    const run = own.flatMap(([name]) => {
      const model = loaded.get(name) ?? this.#hosts.get(name)?.native
      return model === undefined ? [] : [[name, model] as const]
    })
    return { run: new Map(run), release: () => releaseAll(loaded) }
  }

  /** From now on they live as long as the engine does, which has the kernels. */
  belongTo(engine: NativeEngine): void {
    releaseAll(this.#kernels)
    this.#kernels = new Map()
    if (this.#hosts.size > 0) forgotten.register(engine, this)
  }

  /** Workers of a stage; 0 where it needs none. */
  size(stage: string): number {
    return this.#hosts.get(stage)?.crew?.size ?? 0
  }

  /** Before a stage has more replicas: the workers they will need. */
  async grow(stage: string, replicas: number): Promise<void> {
    const crew = this.#hosts.get(stage)?.crew
    if (crew !== undefined && crew.size < replicas) await crew.add(replicas - crew.size)
  }

  /** After a stage has fewer replicas, or could not have more. */
  shrink(stage: string, replicas: number): void {
    const crew = this.#hosts.get(stage)?.crew
    if (crew !== undefined && crew.size > replicas) crew.remove(crew.size - replicas)
  }

  /** Fulfils when all workers are gone. */
  async close(): Promise<void> {
    releaseAll(this.#kernels)
    const all = [...this.#hosts.values()]
    for (const { server } of all) server?.close()
    await Promise.all(all.map(({ crew }) => crew?.close()))
  }
}

/** Stages, and what each is to run on. */
type Tiers = readonly (readonly [stage: string, tier: string])[]

/** What runs on the event loop. */
function inlineFunction(stage: FunctionStage): StageFunction | undefined {
  if (stage.kind === 'cuda') return stage.fallback
  return stage.kind === 'inline' ? stage.run : undefined
}

function makeHost(
  name: string,
  { stage, signature }: { stage: FunctionStage; signature: ModelSignature },
): Host {
  const none = { stage, signature, native: undefined, crew: undefined, server: undefined }
  const run = inlineFunction(stage)
  if (stage.kind === 'cuda' && run === undefined) return none
  const label = stageLabel(stage)
  const addon = loadAddon()
  const native = addon.createFunction({
    name: label,
    inputs: signature.inputs,
    outputs: signature.outputs,
    ragged: !stage.batched,
    timeoutMs: stage.timeoutMs,
  })
  const served = { functionId: native.id, signature, batched: stage.batched, label, seat: 0 }
  if (stage.kind === 'js') {
    const { url, exportName, data } = stage
    const task = { served: { ...served, capacity: 1, replaceable: true }, url, exportName, data }
    return { ...none, native, crew: new WorkerCrew({ stage: name, native, task }) }
  }
  const here: ServedFunction = {
    ...served,
    capacity: Number.POSITIVE_INFINITY,
    replaceable: false,
  }
  const given = { addon, run: run as StageFunction, state: undefined }
  return { ...none, native, server: new FunctionServer(here, given) }
}
