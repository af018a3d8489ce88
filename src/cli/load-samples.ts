import { describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { InputsOf, Pipeline } from '../pipeline/pipeline.ts'
import type { PipelineModule } from './load-pipeline.ts'

/** What an export called `samples` may be, or what it returns where it is a function. */
type Requests = Iterable<unknown> | AsyncIterable<unknown>

const example = 'write `export function samples() { return [{ image }, …] }`'

/**
 * The sample requests of a pipeline's module: its export `samples`, an array, or a function, sync or async, that returns
 * one, or any iterable, sync or async, of inputs as `engine.infer` takes them.
 *
 * @param most How many to take: an iterable may be endless.
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE where there are none; and whatever the function throws.
 */
export async function loadSamples(
  { file, exports }: PipelineModule,
  most: number,
): Promise<readonly InputsOf<Pipeline>[]> {
  const given = exports['samples']
  if (given === undefined) {
    throw invalid(
      `${file}: exports no sample requests; ${example}, with inputs as engine.infer() takes them`,
    )
  }
  const requests: unknown = await (typeof given === 'function' ? given() : given)
  if (!isIterable(requests)) {
    throw invalid(
      `${file}, samples: expected an array of requests, got ${describe(requests)}; ${example}`,
    )
  }
  const samples: InputsOf<Pipeline>[] = []
  for await (const sample of requests) {
    samples.push(checkSample(sample, `${file}, sample ${samples.length}`))
    if (samples.length === most) break
  }
  if (samples.length === 0)
    throw invalid(`${file}, samples: expected at least one request, got none; ${example}`)
  return samples
}

// What is in it is checked by the engine, which knows the pipeline's inputs.
function checkSample(sample: unknown, where: string): InputsOf<Pipeline> {
  if (typeof sample === 'object' && sample !== null) return sample as InputsOf<Pipeline>
  throw invalid(`${where}: expected the inputs of a request, got ${describe(sample)}; ${example}`)
}

function isIterable(value: unknown): value is Requests {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.iterator in value || Symbol.asyncIterator in value
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_PIPELINE', message })
}
