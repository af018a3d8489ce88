import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { cudaLibraries } from '../devices/provider-fault.ts'
import { MillraceError } from '../errors.ts'
import type { NativeLoads, NativeModel, NativeProvider } from '../native/addon.ts'
import { loadAddon } from '../native/load.ts'
import { fromNative } from '../native/native-error.ts'
import { findOnnxRuntime, onnxRuntimeVersion } from '../native/onnx-runtime.ts'
import { nextTier } from '../pipeline/choose-tier.ts'
import type { ResolvedStageConfiguration } from '../pipeline/configuration.ts'
import { modelLabel } from '../pipeline/model-source.ts'
import type { OnnxStage } from '../pipeline/onnx.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Stage } from '../pipeline/stage.ts'
import { readTier } from '../pipeline/tier.ts'

/** One stage's model, to be loaded. */
export interface WantedModel {
  /** The stage. */
  readonly name: string
  readonly source: string | Uint8Array
  readonly config: Readonly<Record<string, string>>
  readonly threads: number
  readonly provider: NativeProvider
  /** Whether the stage lists another provider, which takes over where its device is lost. */
  readonly replaceable: boolean
}

/** A stage's model as it is to be loaded for a tier; from `source` where that is not the stage's first. */
export function wantedModel(
  name: string,
  { stage, tier, source = stage.source }: WantedFrom,
): WantedModel {
  const place = readTier(tier) ?? { provider: 'cpu', threads: 1, device: 0 }
  const { provider: kind, device, threads } = place
  const options = stage.providers?.find(({ provider }) => provider === kind)?.options ?? {}
  const replaceable = nextTier(stage, tier) !== undefined
  const provider = { kind, device, options }
  return { name, source, config: stage.config, threads, provider, replaceable }
}

interface WantedFrom {
  readonly stage: OnnxStage
  readonly tier: string
  readonly source?: string | Uint8Array
}

/** What ends loads, whether they stand back behind what is being served, and memory of devices for rows that stay there. */
export interface LoadTerms {
  readonly loads?: NativeLoads | undefined
  readonly background?: boolean
  /** By device; none: no limit. */
  readonly gpuMemoryBytes?: ReadonlyMap<number, number> | undefined
}

/**
 * Loads the models of a pipeline, side by side, off the event loop; on the CPU where no tier is given. Stages that run the
 * same model on the same provider, with as many threads and the same settings, share it. Of a stage that lists several, it is the first: see `withChosenModels`.
 *
 * @throws {MillraceError} MILLRACE_MODEL_LOAD naming the stage and the model, MILLRACE_NATIVE_LOAD.
 */
export function loadModels(
  pipeline: Pipeline,
  given: LoadTerms & {
    readonly configuration: ReadonlyMap<string, ResolvedStageConfiguration>
  },
): Promise<ReadonlyMap<string, NativeModel>> {
  const stages = Object.entries<Stage>(pipeline.stages)
  const wanted = stages.filter(isOnnx).map(([name, stage]) => {
    return wantedModel(name, { stage, tier: given.configuration.get(name)?.tier ?? 'cpu-1' })
  })
  return loadAll(wanted, given)
}

/** The same for any stages and sources; by stage. MILLRACE_CANCELLED where `loads` were cancelled. */
export async function loadAll(
  wanted: readonly WantedModel[],
  terms: LoadTerms = {},
): Promise<ReadonlyMap<string, NativeModel>> {
  const loading = new Map<string | Uint8Array, Map<string, Promise<NativeModel>>>()
  const models = wanted.map(async (one): Promise<readonly [string, NativeModel]> => {
    const source = typeof one.source === 'string' ? resolve(one.source) : one.source
    const sessions = loading.get(source) ?? new Map<string, Promise<NativeModel>>()
    loading.set(source, sessions)
    const settings = JSON.stringify([one.threads, one.config, one.provider, one.replaceable])
    const load = sessions.get(settings) ?? loadModel({ ...one, source }, terms)
    sessions.set(settings, load)
    return [one.name, await load]
  })
  // All, before the first error is reported: no load is left running behind the caller's back.
  const settled = await Promise.allSettled(models)
  const failed = settled.find(({ status }) => status === 'rejected')
  if (failed === undefined) return new Map(settled.map(loadedOf))
  for (const one of settled) if (one.status === 'fulfilled') one.value[1].release()
  throw (failed as PromiseRejectedResult).reason
}

/** Name of the model with this source, where the stage lists it. */
export function listedModel(stage: OnnxStage, source: string | Uint8Array): string | undefined {
  const where = (one: string | Uint8Array) => (typeof one === 'string' ? resolve(one) : one)
  return stage.models?.find((listed) => where(listed.source) === where(source))?.name
}

function isOnnx(entry: [string, Stage]): entry is [string, OnnxStage] {
  return entry[1].kind === 'onnx'
}

async function loadModel(wanted: WantedModel, terms: LoadTerms): Promise<NativeModel> {
  const { source, config, name, threads, provider, replaceable } = wanted
  if (typeof source === 'string') checkFile(source, name)
  try {
    return await loadAddon().loadModel({
      libraryPath: findOnnxRuntime(),
      libraryVersion: onnxRuntimeVersion,
      source,
      name: modelLabel(source),
      threads,
      provider,
      replaceable,
      spinning: false,
      arena: false,
      sessionConfig: config,
      loads: terms.loads,
      background: terms.background ?? false,
      driver: cudaLibraries().driver,
      memoryBytes: terms.gpuMemoryBytes?.get(provider.device) ?? Number.POSITIVE_INFINITY,
    })
  } catch (error) {
    throw fromNative(error, name)
  }
}

function checkFile(path: string, stage: string): void {
  const found = existsSync(path) ? statSync(path, { throwIfNoEntry: false }) : undefined
  const problem =
    found === undefined ? 'found nothing there' : found.isFile() ? '' : 'found no file'
  if (problem === '') return
  throw new MillraceError({
    code: 'MILLRACE_MODEL_LOAD',
    message: `stage "${stage}": expected an ONNX model at ${path}, ${problem}; correct the path`,
    stage,
  })
}

function loadedOf<Value>(result: PromiseSettledResult<Value>): Value {
  if (result.status === 'fulfilled') return result.value
  throw result.reason
}

/** What runs goes on running: whoever runs it keeps it. */
export function releaseAll(models: ReadonlyMap<string, NativeModel>): void {
  for (const model of models.values()) model.release()
}
