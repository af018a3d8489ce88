// Values held against the published schemas in profiles/.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Ajv2020, ValidateFunction } from 'ajv/dist/2020.js'
import { packageFile } from '../package-file.ts'
import {
  type JsonProblem,
  type JsonSubject,
  jsonError,
  type Schema,
  schemaProblem,
} from './json-problem.ts'

/** The formats: `profiles/NAME.schema.json`. */
export type SchemaName = 'profile' | 'hardware' | 'trace' | 'plan' | 'estimate'

/** Schemas that a schema refers to. */
const parts: Readonly<Partial<Record<SchemaName, readonly SchemaName[]>>> = { plan: ['estimate'] }

/** A key that only files of this format have. */
const telling: Readonly<Record<SchemaName, string>> = {
  profile: 'edges',
  hardware: 'tiers',
  trace: 'arrivalsMs',
  plan: 'configuration',
  estimate: 'attainment',
}

// Loading and compiling take tens of milliseconds: only when used, only what is used, once.
const require = createRequire(import.meta.url)
let ajv: Ajv2020 | undefined
const validators = new Map<SchemaName, ValidateFunction>()

/**
 * The value, if it is as the schema says. The first thing that is wrong becomes one sentence.
 *
 * @throws {MillraceError} MILLRACE_INVALID_FILE
 */
export function checkJson(
  value: unknown,
  subject: JsonSubject & { readonly schema: SchemaName },
): unknown {
  const validate = validatorOf(subject.schema)
  const problem =
    kindProblem(value, subject.schema) ??
    versionProblem(value, validate.schema as Schema) ??
    problemOf(value, validate)
  if (problem === undefined) return value
  throw jsonError(subject, problem)
}

function validatorOf(name: SchemaName): ValidateFunction {
  const known = validators.get(name)
  if (known !== undefined) return known
  ajv ??= newAjv()
  for (const part of parts[name] ?? []) {
    if (ajv.getSchema(fileOf(part)) === undefined) ajv.addSchema(readSchema(part))
  }
  const validate = ajv.getSchema(fileOf(name)) ?? ajv.compile(readSchema(name))
  validators.set(name, validate)
  return validate
}

function newAjv(): Ajv2020 {
  const { Ajv2020 } = require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js')
  // strictRequired would not see, inside of oneOf, the properties around it.
  return new Ajv2020({ strict: true, strictRequired: false, allErrors: false, verbose: true })
}

function readSchema(name: SchemaName): object {
  return JSON.parse(readFileSync(packageFile(`profiles/${fileOf(name)}`), 'utf8')) as object
}

function fileOf(name: SchemaName): string {
  return `${name}.schema.json`
}

// Files are easily mixed up, as the arguments of a command are.
function kindProblem(value: unknown, schema: SchemaName): JsonProblem | undefined {
  if (typeof value !== 'object' || value === null || Object.hasOwn(value, telling[schema])) {
    return undefined
  }
  const names = Object.keys(telling) as SchemaName[]
  const other = names.find((name) => Object.hasOwn(value, telling[name]))
  if (other === undefined) return undefined
  const [wanted, got] = [schema, other].map((name) => {
    return name === 'hardware' ? 'hardware' : `${name === 'estimate' ? 'an' : 'a'} ${name}`
  })
  const fix = 'give a file of that kind'
  return { path: [], problem: `expected ${wanted}, got ${got}`, fix }
}

// Before all else: what a later format has more of would be called unknown.
function versionProblem(value: unknown, schema: Schema): JsonProblem | undefined {
  const known = schema.properties?.['version']?.const
  if (typeof known !== 'number' || typeof value !== 'object' || value === null) return undefined
  const version: unknown = Object.hasOwn(value, 'version') ? Reflect.get(value, 'version') : known
  if (typeof version !== 'number' || !(version > known)) return undefined
  return {
    path: ['version'],
    problem: `expected ${known}, got ${version}: it was written by a newer Millrace`,
    fix: 'update millrace, or have it written anew with this one',
  }
}

function problemOf(value: unknown, validate: ValidateFunction): JsonProblem | undefined {
  try {
    if (validate(value)) return undefined
  } catch (cause) {
    // Items of items may be nested deeper than the stack is.
    if (cause instanceof RangeError) return { path: [], problem: 'it is nested too deeply' }
    throw cause
  }
  // Of a group that failed, such as oneOf, the group itself comes last.
  const error = validate.errors?.at(-1)
  return error && schemaProblem(error, { value, root: validate.schema as Schema })
}
