// Which of the models that a stage lists is meant.
import type { ResolvedStageConfiguration } from './configuration.ts'
import type { OnnxStage } from './onnx.ts'
import type { Pipeline } from './pipeline.ts'
import type { Stage } from './stage.ts'

/** Path or bytes of the model of that name; of the first, or the only one, where there is no name. */
export function sourceOf(stage: OnnxStage, model: string | undefined): string | Uint8Array {
  return stage.models?.find(({ name }) => name === model)?.source ?? stage.source
}

/** The same pipeline, each of its stages with the model that is chosen as its only one. */
export function withChosenModels(
  pipeline: Pipeline,
  configuration: ReadonlyMap<string, ResolvedStageConfiguration>,
): Pipeline {
  const stages = Object.entries<Stage>(pipeline.stages).map(([name, stage]) => {
    if (stage.kind !== 'onnx' || stage.models === undefined) return [name, stage] as const
    const source = sourceOf(stage, configuration.get(name)?.model)
    return [name, Object.freeze({ ...stage, source, models: undefined })] as const
  })
  return Object.freeze({ ...pipeline, stages: Object.freeze(Object.fromEntries(stages)) })
}
