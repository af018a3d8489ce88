import { describe } from '../check.ts'
import type { PipelineDefinition, RequestInputs, StageNames, WiredStages } from './definition.ts'
import { definitionError } from './definition-error.ts'
import { maxStages, readDraft } from './draft.ts'
import { splitConditions, splitNames } from './function-condition.ts'
import { checkOneLevel, findLevels } from './levels.ts'
import type { Pipeline } from './pipeline.ts'
import { checkReach } from './reach.ts'
import { wire } from './wiring.ts'

/**
 * Defines a pipeline: stages, the references between them, and what a request results in. Nothing
 * is loaded or started; the result is frozen. A row goes through every stage whose condition holds
 * and whose inputs were all fed.
 *
 * @example
 * const digits = definePipeline({
 *   name: 'digits',
 *   objective: { latencyMs: 20, percentile: 99 },
 *   stages: {
 *     fast: onnx('fast.onnx', { inputs: { image: 'request.image' } }),
 *     accurate: onnx('accurate.onnx', {
 *       inputs: { image: 'request.image' },
 *       when: { output: 'fast.confidence', below: 0.8 },
 *     }),
 *   },
 *   outputs: { label: ['accurate.label', 'fast.label'] },
 * })
 *
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE with the place and the remedy, where the
 * definition has an unknown key, a malformed or unknown name, a cycle, more than 64 stages, a stage
 * or candidate that can never matter, or an output that might have no value.
 */
export function definePipeline<const Stages extends WiredStages<Stages>, Outputs extends string>(
  definition: PipelineDefinition<Stages, Outputs>,
): Pipeline<RequestInputs<Stages>, Outputs, StageNames<Stages>> {
  const draft = readDraft(definition)
  const { order, requestInputs } = wire(draft)
  const levels = findLevels({ ...draft, order })
  for (const [name, { candidates }] of draft.outputs) {
    checkOneLevel(candidates, levels, `${draft.where}, output "${name}"`)
  }
  checkReach(draft, { order, levels })
  // Last, so that every message is about the stages as they are written.
  const stages = splitConditions(draft.stages, { mostStages: maxStages, where: draft.where })
  const pipeline: Pipeline = {
    name: draft.name,
    objective: draft.objective,
    stages: Object.freeze(Object.fromEntries(stages)),
    order: Object.freeze(order.flatMap((name) => splitNames(name, draft.stages))),
    requestInputs: Object.freeze(requestInputs),
    outputs: Object.freeze(Object.fromEntries(draft.outputs)),
  }
  made.add(Object.freeze(pipeline))
  return pipeline as Pipeline<RequestInputs<Stages>, Outputs, StageNames<Stages>>
}

const made = new WeakSet<object>()

/**
 * Refuses what `definePipeline` did not make, which nobody has checked.
 *
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE
 */
export function checkPipeline(value: unknown): void {
  if (typeof value === 'object' && value !== null && made.has(value)) return
  throw definitionError(
    'pipeline',
    `expected one, got ${describe(value)}; make it with definePipeline()`,
  )
}
