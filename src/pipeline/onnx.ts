import { checkObject, checkRecord, checkString, describe } from '../check.ts'
import { definitionError } from './definition-error.ts'
import { checkSource, type ModelSource, modelLabel } from './model-source.ts'
import {
  checkVariants,
  isVariants,
  type ModelVariant,
  type ModelVariants,
} from './model-variants.ts'
import { checkPad, type InputPad, type PadOptions } from './pad.ts'
import { checkProviders, type Providers, type StageProvider } from './providers.ts'
import { type Candidates, checkCandidates } from './reference.ts'
import {
  checkStageOptions,
  type StageBase,
  type StageOptions,
  sealStage,
  stageKeys,
} from './stage-options.ts'

/** How an ONNX model is wired into its pipeline. */
export interface OnnxOptions<
  Input extends string = string,
  Decider extends string = never,
  Gathered extends string = never,
> extends StageOptions<Decider, Gathered> {
  /**
   * For each input of the model, the value that feeds it: 'request.NAME', 'STAGE.OUTPUT', or a list
   * of these of which the first whose stage ran is taken. A stage with an input that nothing fed is
   * skipped, and so on downstream.
   */
  readonly inputs: Readonly<Record<string, Candidates<Input>>>
  /**
   * For inputs whose rows differ in size, what fills the shorter ones so that they share a batch: a value, or with the
   * sizes that are batched together. All open dimensions but the batch are filled. Outputs are cut back where an open
   * dimension has the same name in the model as one that was filled. Default: only rows of equal sizes share a batch.
   */
  readonly pad?: PadOptions | undefined
  /**
   * Session configuration entries of ONNX Runtime, such as `{ 'session.set_denormal_as_zero': '1'
   * }`. ONNX Runtime ignores keys that it does not know. Default: none.
   */
  readonly config?: Readonly<Record<string, string>> | undefined
  /**
   * What may run the model, the most wanted first: `['cuda', 'webgpu', 'cpu']`. One that this process cannot use gives way
   * to the next, and so does CUDA where its device is lost while the engine serves; where there is none, the engine does not
   * start and says why. The first is the stage's default tier, and
   * a configuration may give it no tier of a provider that is not listed. Operators that an accelerator does not have
   * run on the CPU. Default: the CPU, unless a configuration says otherwise.
   */
  readonly providers?: Providers | undefined
}

/** A stage that runs an ONNX model: frozen, and made by {@link onnx} only. */
export interface OnnxStage<
  Input extends string = string,
  Decider extends string = string,
  Gathered extends string = string,
> extends StageBase<Input, Decider, Gathered> {
  /** Tells it from stages of other kinds. */
  readonly kind: 'onnx'
  /** Path of the model, or its bytes; of the first where there are several. */
  readonly source: string | Uint8Array
  /** The models to choose from, where several are listed; else undefined. */
  readonly models: readonly ModelVariant[] | undefined
  /** How rows that differ in size are made to share a batch, by input; empty where only equal ones do. */
  readonly pad: Readonly<Record<string, InputPad>>
  /** Session configuration entries of ONNX Runtime. */
  readonly config: Readonly<Record<string, string>>
  /** What may run the model, the most wanted first. Undefined: any, and the CPU where nothing is said. */
  readonly providers: readonly StageProvider[] | undefined
}

const code = 'MILLRACE_INVALID_PIPELINE'
const longestConfigKey = 1024
const keys = [...stageKeys, 'pad', 'config', 'providers'] as const

/**
 * A stage that runs an ONNX model. The same stage may serve in several pipelines, or under several
 * names in one.
 *
 * @param source The model; or several to choose from, each with its accuracy: `{ models: [{ file: 'small.onnx', accuracy:
 * 0.78 }, { file: 'large.onnx', accuracy: 0.81 }] }`. They must take the same inputs, and give the same outputs as far as
 * these are used. A configuration says which one serves; the first, where it does not.
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE where an option has the wrong form. The model
 * is not looked at until an engine starts.
 */
export function onnx<
  const Input extends string,
  const Decider extends string = never,
  const Gathered extends string = never,
>(
  source: ModelSource | ModelVariants,
  options: OnnxOptions<Input, Decider, Gathered>,
): OnnxStage<NoInfer<Input>, NoInfer<Decider>, NoInfer<Gathered>> {
  const models = isVariants(source) ? checkVariants(source, 'onnx()') : undefined
  const path = models?.[0]?.source ?? checkSource(source, 'onnx(), source')
  const where = `onnx(${modelLabel(path)})`
  const given = checkObject(options, { name: where, keys, code })
  const inputs = checkInputs(given.inputs, where)
  const stage: OnnxStage = {
    kind: 'onnx',
    source: path,
    models,
    inputs,
    pad: checkPad(given.pad, { inputs, where: `${where}, pad` }),
    config: checkConfig(given.config, `${where}, config`),
    providers: checkProviders(given.providers, `${where}, providers`),
    ...checkStageOptions(given, where),
  }
  return sealStage(stage) as OnnxStage<Input, Decider, Gathered>
}

function checkInputs(value: unknown, where: string): OnnxStage['inputs'] {
  const given = Object.entries(checkRecord(value, { name: `${where}, inputs`, code }))
  if (given.length === 0) {
    throw definitionError(
      `${where}, inputs`,
      'expected at least one input, got none; feed the model',
    )
  }
  const inputs = given.map(([name, candidates]) => {
    return [name, checkCandidates(candidates, `${where}, input "${name}"`)] as const
  })
  return Object.freeze(Object.fromEntries(inputs))
}

function checkConfig(value: unknown, where: string): OnnxStage['config'] {
  if (value === undefined) return Object.freeze({})
  const entries = Object.entries(checkRecord(value, { name: where, code })).map(([key, entry]) => {
    if (key.length > 0 && key.length <= longestConfigKey) {
      return [key, checkString(entry, { name: `${where}, ${key}`, code })] as const
    }
    throw definitionError(
      where,
      `expected keys of 1 to ${longestConfigKey} characters, got ${describe(key)}`,
    )
  })
  return Object.freeze(Object.fromEntries(entries))
}
