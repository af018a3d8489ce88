// What js() and inline() have in common: functions say what models carry in their files, the types and shapes of their
// inputs and outputs.
import {
  checkBoolean,
  checkInteger,
  checkObject,
  checkOneOf,
  checkRecord,
  describe,
} from '../check.ts'
import { definitionError } from './definition-error.ts'
import { type Candidates, checkCandidates } from './reference.ts'
import {
  checkMs,
  checkStageOptions,
  type StageBase,
  type StageOptions,
  stageKeys,
} from './stage-options.ts'
import { elementFormats, type Tensor, type TensorType } from './tensor.ts'

/** Type and shape of a value, as a function declares it. */
export interface ValueShape {
  /** Element type, by the names of onnxruntime-common. */
  readonly type: TensorType
  /** Dimensions of one row, without the one that counts rows; -1 where open, [] for a single element. At most 16. */
  readonly dims: readonly number[]
}

/**
 * What feeds an input of a function: a reference or candidates, or these with type and shape. Type and shape may be left
 * out where the value that feeds it has them: it is the output of a stage, or another stage that takes it says.
 * With `gather`, the first dimension of an input that is fed by items counts these and must be open.
 */
export type InputDeclaration =
  | Candidates
  | {
      /** References, of which the first whose stage ran is taken. */
      readonly from: Candidates
      /** Element type, by the names of onnxruntime-common. */
      readonly type: TensorType
      /** Dimensions of one row, without the one that counts rows; -1 where open, [] for a single element. */
      readonly dims: readonly number[]
    }

/** The inputs of a function, by name. */
export type DeclaredInputs = Readonly<Record<string, InputDeclaration>>

/** The outputs of a function, by name. */
export type DeclaredOutputs = Readonly<Record<string, ValueShape>>

/** Options of {@link js} and {@link inline} alike. */
export interface FunctionOptions<
  Inputs extends DeclaredInputs = DeclaredInputs,
  Outputs extends DeclaredOutputs = DeclaredOutputs,
  Decider extends string = never,
  Gathered extends string = never,
> extends StageOptions<Decider, Gathered> {
  /**
   * The value that feeds each input: 'request.NAME', 'STAGE.OUTPUT', a list of these of which the first whose stage ran
   * is taken, or `{ from, type, dims }`. A stage with an input that nothing fed is skipped, and so on downstream.
   */
  readonly inputs: Inputs
  /**
   * Type and shape of each output, at least one. The dims are those of one row; with `fanOut` the first of them counts
   * items.
   */
  readonly outputs: Outputs
  /**
   * Whether a call is given a whole batch, as tensors whose first dimension counts rows; otherwise it is given one row.
   * Default: false for js(), true for inline().
   */
  readonly batched?: boolean | undefined
  /**
   * Milliseconds a batch may take before its rows fail, all of them together also where they are given one by one; at
   * least 1. The worker of a js() stage is then replaced. Default 30,000; Infinity for no limit.
   */
  readonly timeoutMs?: number | undefined
}

/** What stages that run a function have, defaults filled in. */
export interface FunctionBase<
  Input extends string = string,
  Decider extends string = string,
  Gathered extends string = string,
> extends StageBase<Input, Decider, Gathered> {
  /** Types and shapes of the inputs as far as they are declared. */
  readonly inputShapes: Readonly<Record<string, ValueShape | undefined>>
  /** Type and shape of each output. */
  readonly outputs: Readonly<Record<string, ValueShape>>
  /** Whether a call is given a whole batch; otherwise one row. */
  readonly batched: boolean
  /** Milliseconds a batch may take before its rows fail; Infinity for no limit. */
  readonly timeoutMs: number
}

/** The references among the inputs of a function. */
export type ReferencesIn<Inputs> = {
  [Name in keyof Inputs]: Inputs[Name] extends { readonly from: infer From }
    ? TextOf<From>
    : TextOf<Inputs[Name]>
}[keyof Inputs]

type TextOf<Given> = Given extends string
  ? Given
  : Given extends readonly (infer Text extends string)[]
    ? Text
    : never

/** The tensors that a call is given; of a certain type where the input declares it. */
export type TensorsFor<Inputs> = {
  readonly [Name in keyof Inputs]: Inputs[Name] extends {
    readonly type: infer Type extends TensorType
  }
    ? Tensor<Type>
    : Tensor
}

export const functionKeys = [...stageKeys, 'outputs', 'batched', 'timeoutMs'] as const

type Given = Readonly<Partial<Record<(typeof functionKeys)[number], unknown>>>

const code = 'MILLRACE_INVALID_PIPELINE'
const defaultTimeoutMs = 30_000
const mostElements = 2 ** 31 - 1
const mostDims = 16

/** The options that all functions take, checked and with their defaults. */
export function checkFunctionOptions(
  given: Given,
  { where, batched }: { where: string; batched: boolean },
): Omit<FunctionBase, 'kind'> {
  const { batched: givenBatched = batched, timeoutMs = defaultTimeoutMs } = given
  const inputs = checkInputs(given.inputs, where)
  return {
    ...checkStageOptions(given, where),
    inputs: freezeRecord(inputs.map(([name, input]) => [name, input.candidates])),
    inputShapes: freezeRecord(inputs.map(([name, input]) => [name, input.shape])),
    outputs: checkOutputs(given.outputs, where),
    batched: checkBoolean(givenBatched, { name: `${where}, batched`, code }),
    timeoutMs: checkMs(timeoutMs, { name: `${where}, timeoutMs`, min: 1 }),
  }
}

interface CheckedInput {
  readonly candidates: readonly string[]
  readonly shape: ValueShape | undefined
}

function checkInputs(value: unknown, where: string): readonly (readonly [string, CheckedInput])[] {
  const given = Object.entries(checkRecord(value, { name: `${where}, inputs`, code }))
  if (given.length === 0) {
    throw definitionError(`${where}, inputs`, 'expected at least one, got none; feed the function')
  }
  return given.map(([name, input]) => [name, checkInput(input, `${where}, input "${name}"`)])
}

function checkInput(value: unknown, where: string): CheckedInput {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { candidates: checkCandidates(value, where), shape: undefined }
  }
  const fix = "give a reference such as 'request.page', a list of them, or { from, type, dims }"
  const given = checkObject(value, { name: where, keys: ['from', 'type', 'dims'], fix, code })
  return {
    candidates: checkCandidates(given.from, `${where}, from`),
    shape: checkShape(given, where),
  }
}

function checkOutputs(value: unknown, where: string): Readonly<Record<string, ValueShape>> {
  const name = `${where}, outputs`
  const fix = "declare each, such as { label: { type: 'int64', dims: [] } }"
  const given = Object.entries(checkRecord(value, { name, fix, code }))
  if (given.length === 0) throw definitionError(name, `expected at least one, got none; ${fix}`)
  const outputs = given.map(([output, shape]) => {
    const here = `${where}, output "${output}"`
    const record = checkObject(shape, { name: here, keys: ['type', 'dims'], fix, code })
    if (output === '') throw definitionError(here, 'expected a name, got an empty one; name it')
    return [output, checkShape(record, here)] as const
  })
  return freezeRecord(outputs)
}

function checkShape(given: { type?: unknown; dims?: unknown }, where: string): ValueShape {
  const choices = Object.keys(elementFormats) as TensorType[]
  return Object.freeze({
    type: checkOneOf(given.type, { name: `${where}, type`, choices, code }),
    dims: checkDims(given.dims, `${where}, dims`),
  })
}

function checkDims(value: unknown, where: string): readonly number[] {
  const expected = `a list of at most ${mostDims} sizes of one row, -1 where open`
  if (!Array.isArray(value) || value.length > mostDims) {
    throw definitionError(where, `expected ${expected}, got ${describe(value)}; give [] for one`)
  }
  const dims = Array.from(value, (dim: unknown, axis) => {
    return dim === -1 ? -1 : checkInteger(dim, { name: `${where}[${axis}]`, min: 1, code })
  })
  const elements = dims.reduce((product, dim) => product * Math.max(1, dim), 1)
  if (elements <= mostElements) return Object.freeze(dims)
  throw definitionError(where, `expected at most ${mostElements} elements a row, got ${elements}`)
}

function freezeRecord<Value>(
  entries: readonly (readonly [string, Value])[],
): Readonly<Record<string, Value>> {
  return Object.freeze(Object.fromEntries(entries))
}
