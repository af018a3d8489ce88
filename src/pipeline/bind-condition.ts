import { type Binding, findValue, type StageView, type Value } from './binding.ts'
import type { BoundCondition } from './bound-pipeline.ts'
import type { Condition } from './condition.ts'
import { definitionError } from './definition-error.ts'
import { roundTo, toElement } from './element.ts'
import { elementCount } from './shape.ts'
import { elementFormats, type TensorType } from './tensor.ts'
import { describeShape } from './tensor-spec.ts'

/** The condition of a stage as the core evaluates it, or undefined where it has none. */
export function bindCondition(stage: StageView, binding: Binding): BoundCondition | undefined {
  const { when } = stage.definition
  if (when === undefined) return undefined
  const where = `${stage.where}, when`
  const value = findValue(when.output, { binding, inputs: [], where })
  checkOneElement(value, where, binding)
  const { type } = value.spec
  checkOrdered(when, type, where)
  return {
    source: stageSource(value, where),
    type,
    below: when.below === undefined ? undefined : roundTo(type, when.below),
    above: when.above === undefined ? undefined : roundTo(type, when.above),
    equals: when.equals === undefined ? undefined : bindEquals(when.equals, type, where),
  }
}

function stageSource({ source, text }: Value, where: string): BoundCondition['source'] {
  if (source.kind === 'stage') return { stage: source.stage, output: source.output }
  throw definitionError(where, `expected the output of a stage, got '${text}'`)
}

function checkOneElement(value: Value, where: string, binding: Binding): void {
  const { dims } = value.spec
  if (elementCount(binding.batched ? dims.slice(1) : dims) === 1) return
  const problem = `expected one element a row, got '${value.text}', ${describeShape(value.spec)}`
  throw definitionError(
    where,
    `${problem}; reduce it to a fixed shape of one element, or give a test`,
  )
}

function checkOrdered({ below, above }: Condition, type: TensorType, where: string): void {
  const { kind } = elementFormats[type]
  if ((below === undefined && above === undefined) || kind === 'float' || kind === 'integer') return
  throw definitionError(
    where,
    `below and above compare numbers, but the output is ${type}; use equals`,
  )
}

// The core compares float64, in which only integers up to 2^53 are told apart.
function bindEquals(
  equals: NonNullable<Condition['equals']>,
  type: TensorType,
  where: string,
): number | string {
  const converted = toElement(equals, type)
  if ('problem' in converted) {
    throw definitionError(`${where}, equals`, `${converted.problem}; the output is ${type}`)
  }
  const { element } = converted
  if (typeof element === 'string') return element
  if (typeof element !== 'bigint' || Number.isSafeInteger(Number(element))) return Number(element)
  throw definitionError(
    `${where}, equals`,
    `expected an integer within 2^53, got ${element}; larger ones cannot be told apart`,
  )
}
