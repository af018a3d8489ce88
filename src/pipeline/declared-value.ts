// What models and functions declare, looked at where it is used.
import { suggest } from '../check.ts'
import { definitionError } from './definition-error.ts'
import { parseReference } from './reference.ts'
import { isFunctionStage, type Stage, stageLabel } from './stage.ts'
import { isTensorType } from './tensor.ts'
import type { ModelSignature, TensorSpec } from './tensor-spec.ts'

/** What a stage runs, as a subject of messages. */
export function runnerOf(stage: Stage): string {
  if (stage.kind === 'cuda') return 'the kernel'
  return isFunctionStage(stage) ? 'the function' : 'the model'
}

/** The place of an output among those of the stage that the reference leads to; it must have it. */
export function findOutput(
  text: string,
  found: {
    readonly stage: Stage
    readonly signature: Pick<ModelSignature, 'outputs'>
    readonly where: string
  },
): number {
  const { stage, signature, where } = found
  const { value } = parseReference(text)
  const names = signature.outputs.map(({ name }) => name)
  const output = names.indexOf(value)
  if (output >= 0) return output
  const problem = `${runnerOf(stage)} ${stageLabel(stage)} has no output "${value}" for '${text}'`
  throw definitionError(where, `${problem}; ${suggest(value, names)}`)
}

/**
 * A model may declare element types that no pipeline carries, such as complex64: an error only
 * where it is used.
 */
export function checkSupported(spec: TensorSpec, where: string): void {
  if (isTensorType(spec.type)) return
  const problem = `the model declares "${spec.name}" as ${String(spec.type)}`
  throw definitionError(where, `${problem}, which pipelines cannot carry; convert it in the model`)
}
