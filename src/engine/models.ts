import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { MillraceError } from '../errors.ts'
import type { NativeModel } from '../native/addon.ts'
import { loadAddon } from '../native/load.ts'
import { fromNative } from '../native/native-error.ts'
import { findOnnxRuntime, onnxRuntimeVersion } from '../native/onnx-runtime.ts'
import type { ResolvedStageConfiguration } from '../pipeline/configuration.ts'
import { modelLabel, type OnnxStage } from '../pipeline/onnx.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Stage } from '../pipeline/stage.ts'

/**
 * Loads the models of a pipeline, side by side, off the event loop. Stages that run the same model with as many threads
 * and the same session settings share it.
 *
 * @throws {MillraceError} MILLRACE_MODEL_LOAD naming the stage and the model, MILLRACE_NATIVE_LOAD.
 */
export async function loadModels(
  pipeline: Pipeline,
  configuration: ReadonlyMap<string, ResolvedStageConfiguration>,
): Promise<ReadonlyMap<string, NativeModel>> {
  const loads = new Map<string | Uint8Array, Map<string, Promise<NativeModel>>>()
  const stages = Object.entries<Stage>(pipeline.stages)
  const models = stages.filter(isOnnx).map(async ([name, stage]) => {
    const threads = configuration.get(name)?.threads ?? 1
    const source = typeof stage.source === 'string' ? resolve(stage.source) : stage.source
    const variants = loads.get(source) ?? new Map<string, Promise<NativeModel>>()
    loads.set(source, variants)
    const variant = JSON.stringify([threads, stage.config])
    const load = variants.get(variant) ?? loadModel({ ...stage, source }, { name, threads })
    variants.set(variant, load)
    return [name, await load] as const
  })
  // All, before the first error is reported: no load is left running behind the caller's back.
  const settled = await Promise.allSettled(models)
  return new Map(settled.map(loadedOf))
}

function isOnnx(entry: [string, Stage]): entry is [string, OnnxStage] {
  return entry[1].kind === 'onnx'
}

async function loadModel(
  stage: Pick<OnnxStage, 'source' | 'config'>,
  { name, threads }: { name: string; threads: number },
): Promise<NativeModel> {
  const { source, config } = stage
  if (typeof source === 'string') checkFile(source, name)
  try {
    return await loadAddon().loadModel({
      libraryPath: findOnnxRuntime(),
      libraryVersion: onnxRuntimeVersion,
      source,
      name: modelLabel(source),
      threads,
      spinning: false,
      arena: false,
      sessionConfig: config,
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
