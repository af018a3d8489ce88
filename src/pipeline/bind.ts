import { bindOutput } from './bind-output.ts'
import { bindRequestInputs } from './bind-request.ts'
import { bindStage, checkFed } from './bind-stage.ts'
import { openBinding } from './binding.ts'
import type { BoundPipeline } from './bound-pipeline.ts'
import type { Pipeline } from './pipeline.ts'
import type { ModelSignature } from './tensor-spec.ts'

/**
 * Checks a pipeline against what its models declare, one for each stage by its name, and compiles
 * it for the native core. Pure. Open dimensions match anything, so that the sizes they have in a
 * request are left for the core to check.
 *
 * A model is batched when the first dimension of all its inputs and outputs is open. Where all are,
 * a request may have several rows. Where one is not, a request is one row: that model takes whole
 * tensors, and a batched one beside it is given tensors whose first dimension is 1, which must be
 * able to have that size.
 *
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE naming the place, the model, what was expected
 * and what was found.
 */
export function bindPipeline(
  pipeline: Pipeline,
  models: ReadonlyMap<string, ModelSignature>,
): BoundPipeline {
  const binding = openBinding(pipeline, models)
  for (const stage of binding.stages) checkFed(stage)
  const inputs = bindRequestInputs(binding)
  const outputs = Object.entries(pipeline.outputs)
  return {
    inputs,
    stages: binding.stages.map((stage) => bindStage(stage, { binding, inputs })),
    outputs: outputs.map(([name, output]) => bindOutput(name, output, { binding, inputs })),
    batched: binding.batched,
  }
}
