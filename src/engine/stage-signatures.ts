import { bindPipeline } from '../pipeline/bind.ts'
import { functionSignatures } from '../pipeline/function-signatures.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { ModelSignature } from '../pipeline/tensor-spec.ts'
import { loadModels } from './models.ts'

/**
 * What every stage of a pipeline takes and gives, by name, functions as if they were models. Loads the models, checks the
 * pipeline against them, and lets go of them.
 *
 * @throws {MillraceError} MILLRACE_MODEL_LOAD, MILLRACE_NATIVE_LOAD, MILLRACE_INVALID_PIPELINE
 */
export async function stageSignatures(
  pipeline: Pipeline,
): Promise<ReadonlyMap<string, ModelSignature>> {
  const models = await loadModels(pipeline, { configuration: new Map() })
  try {
    bindPipeline(pipeline, models)
    const ofModels = [...models].map(([name, { inputs, outputs }]) => {
      return [name, { inputs, outputs }] as const
    })
    return new Map<string, ModelSignature>([...ofModels, ...functionSignatures(pipeline, models)])
  } finally {
    for (const model of models.values()) model.release()
  }
}
