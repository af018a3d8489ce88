import { describe } from '../check.ts'
import type { ValueDescription } from '../engine/described-values.ts'
import type { Engine } from '../engine/engine.ts'
import { MillraceError } from '../errors.ts'
import type { InputsOf, Pipeline } from '../pipeline/pipeline.ts'
import { elementFormats, type Tensor, type TensorLike } from '../pipeline/tensor.ts'
import { nestedElements, nestedShape } from './nested-elements.ts'
import { datatypes } from './open-inference/datatypes.ts'
import { TensorFill } from './open-inference/tensor-fill.ts'

/** A JSON Schema, as Fastify and descriptions of APIs (OpenAPI) take it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** How a route speaks JSON with an engine: `{ name: nested lists }`, the first dimension being the rows. */
export interface JsonRoute<P extends Pipeline = Pipeline> {
  /** What Fastify takes as a route's `schema`. */
  readonly schema: {
    /** Of the body of a request: an object with a nested list for each input. */
    readonly body: JsonSchema
    /** Of answers, by their status. */
    readonly response: {
      /** Of an answer with results: an object with a nested list for each output. */
      readonly 200: JsonSchema
    }
  }
  /**
   * Tensors of a parsed body. Integers of 64 bits may be strings of digits; `"NaN"`, `"Infinity"` and `"-Infinity"` are numbers.
   *
   * @param body What the JSON text holds, not checked yet.
   * @throws {MillraceError} MILLRACE_INVALID_INPUT, status 400
   */
  inputs(body: unknown): InputsOf<P>
  /**
   * Nested lists of results; integers beyond 2^53 are strings of digits, and so are numbers that JSON does not have.
   *
   * @param results What `infer` fulfils with; an output that is left out of it is left out of the answer.
   */
  outputs(results: Readonly<Record<string, Tensor | undefined>>): Record<string, unknown>
}

/**
 * Schemas and conversions for a route of the application's own, from what the pipeline takes and gives:
 *
 *     const json = jsonRoute(engine)
 *     app.post('/digits', { schema: json.schema }, async (request) =>
 *       json.outputs(await request.millrace.infer(json.inputs(request.body))))
 *
 * @param engine One that has started: what is read of it are its pipeline, inputs and outputs.
 * @throws {MillraceError} MILLRACE_INVALID_OPTION where a value is of 16-bit floats, which have no form in JSON
 */
export function jsonRoute<P extends Pipeline>(
  engine: Pick<Engine<P>, 'pipeline' | 'inputs' | 'outputs'>,
): JsonRoute<P> {
  const inputs = entriesOf(engine, 'inputs')
  const outputs = entriesOf(engine, 'outputs')
  return {
    schema: { body: objectSchema(inputs), response: { 200: objectSchema(outputs) } },
    inputs: (body) => readInputs(inputs, body) as InputsOf<P>,
    outputs: (results) => writeOutputs(outputs, results),
  }
}

type Entries = readonly (readonly [name: string, description: ValueDescription])[]

function entriesOf(engine: unknown, key: 'inputs' | 'outputs'): Entries {
  const given = (engine as Partial<Record<string, unknown>> | undefined)?.[key]
  if (typeof given !== 'object' || given === null) {
    const message = `jsonRoute: expected an engine that has started, got ${describe(engine)}`
    throw new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
  }
  const entries = Object.entries(given)
  for (const [name, value] of entries) {
    const { type } = value as ValueDescription
    if (type !== 'float16') continue
    throw new MillraceError({
      code: 'MILLRACE_INVALID_OPTION',
      message: `jsonRoute: "${name}" of ${key} is float16, which has no form in JSON; use openInference() and its binary form`,
    })
  }
  return entries as Entries
}

function objectSchema(entries: Entries): JsonSchema {
  return {
    type: 'object',
    required: entries.map(([name]) => name),
    additionalProperties: false,
    properties: Object.fromEntries(entries.map(([name, value]) => [name, valueSchema(value)])),
  }
}

function valueSchema({ type, dims }: ValueDescription): JsonSchema {
  return dims.reduceRight<JsonSchema>(
    (items, size) => ({
      type: 'array',
      items,
      ...(size >= 0 && { minItems: size, maxItems: size }),
    }),
    elementSchema(type),
  )
}

function elementSchema(type: ValueDescription['type']): JsonSchema {
  const { kind, bytes } = elementFormats[type]
  if (kind === 'string') return { type: 'string' }
  if (kind === 'bool') return { type: 'boolean' }
  // Not as one list of types, which validators in their strict mode complain of.
  if (kind === 'float') return { anyOf: [{ type: 'number' }, { type: 'string' }] }
  return bytes === 8 ? { anyOf: [{ type: 'integer' }, { type: 'string' }] } : { type: 'integer' }
}

function readInputs(entries: Entries, body: unknown): Record<string, TensorLike> {
  const names = entries.map(([name]) => name).join(', ')
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid(`the body: expected an object with ${names}, got ${describe(body)}`)
  }
  for (const name of Object.keys(body)) {
    if (!entries.some(([known]) => known === name)) {
      throw invalid(`the body: expected ${names}, got ${JSON.stringify(name)} besides`)
    }
  }
  return Object.fromEntries(entries.map(([name, value]) => [name, tensorOf(name, { value, body })]))
}

function tensorOf(
  name: string,
  { value, body }: { value: ValueDescription; body: object },
): Tensor {
  const data = Object.hasOwn(body, name) ? (body as Record<string, unknown>)[name] : undefined
  if (data === undefined) throw invalid(`the body: expected "${name}", and it is not there`)
  const { type, dims } = value
  const format = elementFormats[type]
  const face = { name, type, datatype: datatypes[type], shape: dims, format, opening: '' }
  try {
    const fill = new TensorFill(face, { shape: nestedShape(data, dims), data })
    fill.step(Number.POSITIVE_INFINITY)
    return fill.tensor
  } catch (error) {
    throw error instanceof Error ? invalid(error.message, error) : error
  }
}

function writeOutputs(
  entries: Entries,
  results: Readonly<Record<string, Tensor | undefined>>,
): Record<string, unknown> {
  const written = entries.flatMap(([name]) => {
    const tensor = results[name]
    return tensor === undefined ? [] : [[name, nestedElements(tensor)]]
  })
  return Object.fromEntries(written)
}

function invalid(message: string, cause?: unknown): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_INPUT', message, cause })
}
