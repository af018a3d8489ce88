// What is wrong with a value, in words: the place, what was expected, what came and what to do.
import type { ErrorObject } from 'ajv/dist/2020.js'
import { describe, rangeText, suggest } from '../check.ts'
import { MillraceError } from '../errors.ts'

/** What is being checked, for the message. */
export interface JsonSubject {
  /** The file, or what the value is called. */
  readonly where: string
  /** What to do where it is not as expected, such as `correct the file`. */
  readonly fix: string
}

/** What is wrong at a place of a value. */
export interface JsonProblem {
  /** The keys and indices that lead there. */
  readonly path: readonly (string | number)[]
  /** Such as `expected a number above 0, got null`. */
  readonly problem: string
  /** Default: that of the subject. */
  readonly fix?: string
}

/** As much of a schema as messages are made of. */
export interface Schema {
  readonly $ref?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly type?: string
  readonly pattern?: string
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly required?: readonly string[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly $defs?: Readonly<Record<string, Schema>>
}

/** The error for a problem: `plan.json: tuning.envelope[0].windowMs: PROBLEM; FIX`. */
export function jsonError(
  { where, fix }: JsonSubject,
  { path, problem, fix: ownFix = fix }: JsonProblem,
): MillraceError {
  const place = path.length === 0 ? where : `${where}: ${pathText(path)}`
  const message = `${place}: ${problem}; ${ownFix}`
  return new MillraceError({ code: 'MILLRACE_INVALID_FILE', message })
}

/** `stages.fast.points[0]`; a name that is not plain stands in brackets. */
function pathText(path: readonly (string | number)[]): string {
  const text = path.map((part) => {
    if (typeof part === 'number') return `[${part}]`
    return /^[\w-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`
  })
  return text.join('').replace(/^\./, '')
}

/** An error of ajv (made with `verbose`) about `value`; `root` is the schema it was held against. */
export function schemaProblem(
  error: ErrorObject,
  { value, root }: { readonly value: unknown; readonly root: Schema },
): JsonProblem {
  const path = pathOf(error.instancePath, value)
  const schema = error.parentSchema as Schema
  const got = `got ${describe(error.data)}`
  switch (error.keyword) {
    case 'required': {
      const key = String(error.params['missingProperty'])
      const wanted = expectation(resolve(schema.properties?.[key], root))
      return { path: [...path, key], problem: `expected ${wanted}, got nothing` }
    }
    case 'additionalProperties': {
      const key = String(error.params['additionalProperty'])
      const fix = suggest(key, Object.keys(schema.properties ?? {}))
      return { path, problem: `unknown key ${quote(key)}`, fix }
    }
    case 'propertyNames': {
      const wanted = expectation(resolve(error.schema as Schema, root))
      const key = quote(error.params['propertyName'])
      return { path, problem: `expected ${wanted} as a key, got ${key}` }
    }
    case 'uniqueItems':
      return { path, problem: `expected no item twice, got ${quote(duplicate(error))} again` }
    case 'minProperties':
      return { path, problem: 'expected at least one entry, got none' }
    case 'oneOf':
      return { path, problem: `expected ${oneOfKeys(schema.oneOf ?? [])}, ${got}` }
    default:
      return { path, problem: `expected ${expectation(schema)}, ${got}` }
  }
}

// The value tells an index from a name of digits.
function pathOf(pointer: string, value: unknown): readonly (string | number)[] {
  let inside = value
  const keys = pointer.split('/').slice(1)
  return keys.map((escaped) => {
    const key = escaped.replaceAll('~1', '/').replaceAll('~0', '~')
    const part = Array.isArray(inside) ? Number(key) : key
    inside = (inside as Record<string | number, unknown>)[part]
    return part
  })
}

function duplicate({ data, params }: ErrorObject): unknown {
  return Array.isArray(data) ? data[Number(params['i'])] : data
}

function resolve(schema: Schema | undefined, root: Schema): Schema {
  const name = schema?.$ref?.match(/^#\/\$defs\/(.+)$/)?.[1]
  return (name === undefined ? schema : root.$defs?.[name]) ?? {}
}

function expectation(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return `one of ${schema.enum.map(quote).join(', ')}`
  switch (schema.type) {
    case 'number':
      return `a number${boundsText(schema)}`
    case 'integer':
      return `an integer${boundsText(schema)}`
    case 'string':
      return textText(schema)
    case 'boolean':
      return 'true or false'
    case 'array':
      return `an array${lengthText(schema)}`
    default:
      return 'an object'
  }
}

// The pattern of names is the only one there is.
function textText({ pattern, maxLength }: Schema): string {
  if (pattern !== undefined) return 'a name of letters, digits, _ and -'
  return maxLength === undefined
    ? 'a string that is not empty'
    : `a string of 1 to ${maxLength} characters`
}

function boundsText(schema: Schema): string {
  const { minimum: min, maximum: max, exclusiveMinimum: above, exclusiveMaximum: below } = schema
  return rangeText({
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(above !== undefined && { above }),
    ...(below !== undefined && { below }),
  })
}

function lengthText({ minItems, maxItems }: Schema): string {
  if (minItems === undefined) return ''
  return minItems === maxItems ? ` of ${minItems}` : ` of at least ${minItems}`
}

function oneOfKeys(choices: readonly Schema[]): string {
  const keys = choices.map(({ required = [] }) => required.map(quote).join(' with '))
  return `exactly one of the keys ${keys.join(' and ')}`
}

function quote(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
