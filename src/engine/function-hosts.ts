// Everything that runs functions for one engine: a crew of workers for each js() stage, a port on this event loop for each
// inline() stage. Nothing here leads to the engine, so that one that is forgotten is collected.
import type { NativeEngine, NativeFunction } from '../native/addon.ts'
import { loadAddon } from '../native/load.ts'
import type { ResolvedStageConfiguration } from '../pipeline/configuration.ts'
import { functionSignatures } from '../pipeline/function-signatures.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { type FunctionStage, isFunctionStage, type Stage, stageLabel } from '../pipeline/stage.ts'
import type { ModelSignature } from '../pipeline/tensor-spec.ts'
import { FunctionServer, type ServedFunction } from './function-server.ts'
import { WorkerCrew } from './worker-crew.ts'

/** One function stage, as the core runs it. */
interface Host {
  readonly native: NativeFunction
  readonly crew: WorkerCrew | undefined
  readonly server: FunctionServer | undefined
}

/** An engine that nobody holds and that has nothing pending takes its workers with it. */
const forgotten = new FinalizationRegistry<FunctionHosts>((hosts) => void hosts.close())

export class FunctionHosts {
  readonly #hosts: ReadonlyMap<string, Host>

  private constructor(hosts: ReadonlyMap<string, Host>) {
    this.#hosts = hosts
  }

  /**
   * Makes the functions of a pipeline and starts their workers, as many as there are to be replicas.
   *
   * @throws {MillraceError} MILLRACE_STAGE_FAILED naming the stage, with what its module threw as the cause;
   * MILLRACE_INVALID_PIPELINE.
   */
  static async start(
    pipeline: Pipeline,
    given: {
      readonly models: ReadonlyMap<string, ModelSignature>
      readonly configuration: ReadonlyMap<string, ResolvedStageConfiguration>
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
    const hosts = new FunctionHosts(new Map(made))
    const starts = made.map(([name]) =>
      hosts.grow(name, given.configuration.get(name)?.replicas ?? 1),
    )
    const failed = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected')
    if (failed?.status !== 'rejected') return hosts
    await hosts.close()
    throw failed.reason
  }

  get natives(): ReadonlyMap<string, NativeFunction> {
    return new Map([...this.#hosts].map(([name, host]) => [name, host.native]))
  }

  /** From now on they live as long as the engine does. */
  belongTo(engine: NativeEngine): void {
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
    const all = [...this.#hosts.values()]
    for (const { server } of all) server?.close()
    await Promise.all(all.map(({ crew }) => crew?.close()))
  }
}

function makeHost(
  name: string,
  { stage, signature }: { stage: FunctionStage; signature: ModelSignature },
): Host {
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
  if (stage.kind === 'inline') {
    const here: ServedFunction = {
      ...served,
      capacity: Number.POSITIVE_INFINITY,
      replaceable: false,
    }
    const { run } = stage
    return {
      native,
      crew: undefined,
      server: new FunctionServer(here, { addon, run, state: undefined }),
    }
  }
  const { url, exportName, data } = stage
  const task = { served: { ...served, capacity: 1, replaceable: true }, url, exportName, data }
  return { native, crew: new WorkerCrew({ stage: name, native, task }), server: undefined }
}
