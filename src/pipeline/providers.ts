import { checkObject, checkOneOf, checkRecord, describe } from '../check.ts'
import { definitionError } from './definition-error.ts'
import { checkProviderOptions } from './provider-options.ts'
import { type ProviderName, providerNames } from './tier.ts'

/** A provider with settings of its own. */
export interface ProviderOptions {
  /** Which provider the settings are for. */
  readonly provider: ProviderName
  /**
   * Settings of the provider by the names that ONNX Runtime gives them, such as `{ preferredLayout: 'NHWC' }` of WebGPU
   * or `{ gpu_mem_limit: 2 ** 31 }` of CUDA; checked. The device is the tier's to say. Default: ONNX Runtime's.
   */
  readonly options?: Readonly<Record<string, string | number | boolean>> | undefined
}

/** What may run a stage's model, in the order of preference; what comes after one that is missing takes its place. */
export type Providers = readonly (ProviderName | ProviderOptions)[]

/** One of a stage's providers, its settings as ONNX Runtime takes them. */
export interface StageProvider {
  /** What runs the model. */
  readonly provider: ProviderName
  /** Settings by the names that ONNX Runtime gives them; empty for its own defaults. */
  readonly options: Readonly<Record<string, string>>
}

const code = 'MILLRACE_INVALID_PIPELINE'

/** Checks a list of providers; undefined where there is none. */
export function checkProviders(
  value: unknown,
  where: string,
): readonly StageProvider[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length === 0) {
    const expected = "expected a list of providers, such as ['cuda', 'cpu']"
    throw definitionError(where, `${expected}, got ${describe(value)}; list one at least`)
  }
  const providers = value.map((one: unknown, at) => checkProvider(one, `${where}[${at}]`))
  const names = providers.map(({ provider }) => provider)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice === undefined) return Object.freeze(providers)
  throw definitionError(where, `expected each provider once, got "${twice}" again; remove one`)
}

function checkProvider(value: unknown, where: string): StageProvider {
  const bare = typeof value === 'string' ? { provider: value } : value
  const given = checkObject(bare, { name: where, keys: ['provider', 'options'], code })
  const provider = checkOneOf(given.provider, { name: where, choices: providerNames, code })
  const { options = {} } = given
  const record = checkRecord(options, { name: `${where}, options`, code })
  return Object.freeze({ provider, options: checkProviderOptions(provider, record, where) })
}
