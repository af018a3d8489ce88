// Several models of one stage, of which a configuration chooses one.
import { checkNumber, checkObject, checkString, describe } from '../check.ts'
import { definitionError } from './definition-error.ts'
import { checkSource, type ModelSource } from './model-source.ts'

/** Several models that can do the work of one stage, to be given in place of one. */
export interface ModelVariants {
  /** At least one, the one that serves by default first. */
  readonly models: readonly ModelVariantOptions[]
}

/** One of several models of a stage, as it is given. */
export interface ModelVariantOptions {
  /** A path, a file: URL, or the bytes of a model. */
  readonly file: ModelSource
  /** Share of right answers, from 0 to 1, however you measure it: the same way for all models of a stage. */
  readonly accuracy: number
  /**
   * What configurations call it: 1 to 128 characters, of its own among the models of the stage. Default: the name of the
   * file without folder and extension; bytes need one.
   */
  readonly name?: string | undefined
}

/** One of several models of a stage, checked: frozen. */
export interface ModelVariant {
  /** What configurations and profiles call it. */
  readonly name: string
  /** Path of the model, or its bytes. */
  readonly source: string | Uint8Array
  /** Share of right answers, from 0 to 1. */
  readonly accuracy: number
}

const code = 'MILLRACE_INVALID_PIPELINE'
const keys = ['file', 'accuracy', 'name'] as const
const longestName = 128

/** Whether this is meant to list models, rightly or not. */
export function isVariants(source: unknown): source is ModelVariants {
  return typeof source === 'object' && source !== null && Object.hasOwn(source, 'models')
}

/** The models, at least one; `where` begins the message where something is wrong with them. */
export function checkVariants(value: unknown, where: string): readonly ModelVariant[] {
  const { models } = checkObject(value, { name: where, keys: ['models'], code })
  const given: unknown = models
  if (!Array.isArray(given) || given.length === 0) {
    const problem = `expected a list of at least one model, got ${describe(given)}`
    throw definitionError(`${where}, models`, `${problem}; give [{ file, accuracy }, …]`)
  }
  const checked = Array.from(given, (one: unknown, at) => {
    return checkVariant(one, `${where}, models[${at}]`)
  })
  checked.forEach(({ name }, at) => {
    const first = checked.findIndex((other) => other.name === name)
    if (first === at) return
    const problem = `"${name}" is the name of models[${first}], too`
    throw definitionError(
      `${where}, models[${at}], name`,
      `${problem}; give each a name of its own`,
    )
  })
  return Object.freeze(checked)
}

function checkVariant(value: unknown, where: string): ModelVariant {
  const given = checkObject(value, { name: where, keys, code })
  const source = checkSource(given.file, `${where}, file`)
  return Object.freeze({
    name: checkVariantName(given.name ?? nameOf(source), `${where}, name`),
    source,
    accuracy: checkNumber(given.accuracy, { name: `${where}, accuracy`, min: 0, max: 1, code }),
  })
}

function checkVariantName(value: unknown, where: string): string {
  const fix = 'give the name that configurations shall call it by'
  const name = checkString(value, { name: where, code, fix })
  // A profile keeps the models of a stage by name.
  if (name.length <= longestName && name !== '__proto__') return name
  throw definitionError(
    where,
    `expected 1 to ${longestName} characters, got ${describe(name)}; ${fix}`,
  )
}

/** `models/small.v2.onnx` is called `small.v2`. */
function nameOf(source: string | Uint8Array): string | undefined {
  if (typeof source !== 'string') return undefined
  return source
    .split(/[\\/]/)
    .at(-1)
    ?.replace(/(?<=.)\.[^.]*$/, '')
}
