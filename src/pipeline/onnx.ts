import { fileURLToPath } from 'node:url'
import { checkObject, checkRecord, checkString, describe } from '../check.ts'
import { type Condition, checkCondition } from './condition.ts'
import { definitionError } from './definition-error.ts'
import { type Candidates, checkCandidates } from './reference.ts'

/**
 * Where a model comes from: a path (a relative one is resolved against the working directory when
 * an engine starts), a file: URL, or the bytes of the model. Bytes are kept by reference: leave
 * them unchanged while the pipeline is in use.
 */
export type ModelSource = string | URL | Uint8Array

/** How an ONNX model is wired into its pipeline. */
export interface OnnxOptions<Input extends string = string, Decider extends string = never> {
  /**
   * For each input of the model, the value that feeds it: 'request.NAME', 'STAGE.OUTPUT', or a list
   * of these of which the first whose stage ran is taken. A stage with an input that nothing fed is
   * skipped, and so on downstream.
   */
  readonly inputs: Readonly<Record<string, Candidates<Input>>>
  /** Runs the stage only for rows where this holds. Default: always. */
  readonly when?: Condition<Decider> | undefined
  /**
   * Session configuration entries of ONNX Runtime, such as `{ 'session.set_denormal_as_zero': '1'
   * }`. ONNX Runtime ignores keys that it does not know. Default: none.
   */
  readonly config?: Readonly<Record<string, string>> | undefined
}

/** A stage that runs an ONNX model: frozen, and made by {@link onnx} only. */
export interface OnnxStage<Input extends string = string, Decider extends string = string> {
  readonly kind: 'onnx'
  /** Path of the model, or its bytes. */
  readonly source: string | Uint8Array
  /** Candidates for each input of the model. */
  readonly inputs: Readonly<Record<string, readonly Input[]>>
  readonly when: Condition<Decider> | undefined
  readonly config: Readonly<Record<string, string>>
}

const code = 'MILLRACE_INVALID_PIPELINE'
const longestConfigKey = 1024
const made = new WeakSet<object>()

/**
 * A stage that runs an ONNX model. The same stage may serve in several pipelines, or under several
 * names in one.
 *
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE where an option has the wrong form. The model
 * is not looked at until an engine starts.
 */
export function onnx<const Input extends string, const Decider extends string = never>(
  source: ModelSource,
  options: OnnxOptions<Input, Decider>,
): OnnxStage<NoInfer<Input>, NoInfer<Decider>> {
  const path = checkSource(source, 'onnx(), source')
  const where = `onnx(${modelLabel(path)})`
  const given = checkObject(options, { name: where, keys: ['inputs', 'when', 'config'], code })
  const stage = Object.freeze({
    kind: 'onnx',
    source: path,
    inputs: checkInputs(given.inputs, where),
    when: given.when === undefined ? undefined : checkCondition(given.when, `${where}, when`),
    config: checkConfig(given.config, `${where}, config`),
  })
  made.add(stage)
  return stage as OnnxStage<Input, Decider>
}

/** Whether {@link onnx} made this, so that it needs no checking. */
export function isOnnxStage(value: unknown): value is OnnxStage {
  return typeof value === 'object' && value !== null && made.has(value)
}

/** A model in messages: its path, or how many bytes it has. */
export function modelLabel(source: string | Uint8Array): string {
  return typeof source === 'string' ? source : `${source.byteLength} bytes`
}

/** Path or bytes of a model; `where` begins the message where it is neither. */
export function checkSource(source: unknown, where: string): string | Uint8Array {
  if (source instanceof Uint8Array) {
    if (source.byteLength > 0) return source
    throw definitionError(where, 'expected the bytes of a model, got none; read the file first')
  }
  if (source instanceof URL) return pathOf(source, where)
  const fix = 'give the path, a file: URL or the bytes of a model'
  const text = checkString(source, { name: where, code, fix })
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(text) && URL.canParse(text)
    ? pathOf(new URL(text), where)
    : text
}

function pathOf(url: URL, where: string): string {
  if (url.protocol !== 'file:') {
    throw definitionError(
      where,
      `expected a file: URL, got ${url.protocol}; fetch the model and give its bytes`,
    )
  }
  try {
    return fileURLToPath(url)
  } catch (cause) {
    throw definitionError(
      where,
      `${describe(url.href)} names no file here: ${(cause as Error).message}`,
    )
  }
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
