import type { CudaStage } from './cuda.ts'
import type { InlineStage } from './inline.ts'
import type { JsStage } from './js.ts'
import { modelLabel } from './model-source.ts'
import type { OnnxStage } from './onnx.ts'
import { isSealed } from './stage-options.ts'

/** A stage of any kind. */
export type Stage = OnnxStage | FunctionStage

/** A stage that says itself what it takes and gives: it runs a function, or a kernel. */
export type FunctionStage = JsStage | InlineStage | CudaStage

/** Whether one of the factories made this, so that it needs no checking. */
export function isStage(value: unknown): value is Stage {
  return isSealed(value)
}

export function isFunctionStage(stage: Stage): stage is FunctionStage {
  return stage.kind !== 'onnx'
}

/** What a stage runs, in messages. */
export function stageLabel(stage: Stage): string {
  switch (stage.kind) {
    case 'onnx':
      return modelLabel(stage.source)
    case 'js':
      return `${stage.url}#${stage.exportName}`
    case 'inline':
      return `inline ${stage.run.name}`.trimEnd()
    case 'cuda':
      return `kernel ${stage.kernel}`
  }
}
