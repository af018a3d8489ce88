// The sample requests through the whole pipeline, one at a time: what each stage is given, and who visits what.
import { MillraceError } from '../errors.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { parseReference, requestNode } from '../pipeline/reference.ts'
import { isFunctionStage, type Stage } from '../pipeline/stage.ts'
import { elementFormats, type Tensor, type TensorType } from '../pipeline/tensor.ts'
import { isBatched, type ModelSignature } from '../pipeline/tensor-spec.ts'
import { type MeasuringEngine, type RunTerms, withEngine } from './measuring-engine.ts'
import { PathCounter, type Visited } from './paths.ts'
import { RecordedRows, type Row } from './recorded-rows.ts'
import { type TappedPipeline, tapPipeline } from './tapped-pipeline.ts'

/** Requests of a pipeline, as `infer` takes them. */
export type Samples<Request> = Iterable<Request> | AsyncIterable<Request>

export interface SampleRun extends Visited {
  /** What each stage was given. */
  readonly rows: ReadonlyMap<string, readonly Row[]>
  /** Stages whose rows are whole tensors. */
  readonly untapped: ReadonlySet<string>
  /** Some of the requests, spread evenly over all. */
  readonly some: readonly object[]
}

const mostKept = 64

/**
 * Runs the samples.
 *
 * @throws {MillraceError} with the code of the engine, and the number of the sample that does not fit or fails;
 * MILLRACE_INVALID_OPTION where there is no sample, or a stage that none of them visits.
 */
export async function runSamples(
  pipeline: Pipeline,
  given: {
    readonly samples: Samples<object>
    readonly signatures: ReadonlyMap<string, ModelSignature>
    readonly seed: number
    readonly terms: RunTerms
  },
): Promise<SampleRun> {
  const { signatures } = given
  const untapped = untappable(pipeline, signatures)
  const recorded = new Map(pipeline.order.map((name) => [name, new RecordedRows(given.seed)]))
  const tapped = tapPipeline(pipeline, {
    untapped,
    defaults: defaultsFor(pipeline, signatures),
    record: (stage, inputs, rows) => recorded.get(stage)?.add(inputs, rows),
  })
  const run = new Run({ pipeline, tapped, untapped, recorded, signatures })
  const configuration = Object.fromEntries(
    tapped.pipeline.order.map((stage) => [stage, { replicas: 1 }]),
  )
  await withEngine(tapped.pipeline, { configuration, terms: given.terms }, async (engine) => {
    for await (const sample of given.samples) await run.take(engine, sample)
  })
  return run.result()
}

interface RunParts {
  readonly pipeline: Pipeline
  readonly tapped: TappedPipeline
  readonly untapped: ReadonlySet<string>
  readonly recorded: ReadonlyMap<string, RecordedRows>
  readonly signatures: ReadonlyMap<string, ModelSignature>
}

class Run {
  readonly #parts: RunParts
  readonly #counter: PathCounter
  #kept: object[] = []
  #every = 1
  #taken = 0

  constructor(parts: RunParts) {
    const { tapped, untapped, pipeline } = parts
    this.#parts = parts
    // Whole tensors mean one row, and no fan-out: what an untapped stage is seen by is its count of rows.
    const whole = [...untapped].map((stage) => ({ stage, output: seenOf(stage), level: [] }))
    const all = [...tapped.seen, ...whole]
    const seen = pipeline.order.flatMap((name) => all.filter(({ stage }) => stage === name))
    this.#counter = new PathCounter({ seen, counts: tapped.counts })
  }

  async take(engine: MeasuringEngine, sample: object): Promise<void> {
    const at = this.#taken++
    const before = engine.stats().stages
    const outputs = await this.#infer(engine, sample, at)
    const after = engine.stats().stages
    const { tapped, untapped } = this.#parts
    const sightings: Record<string, ArrayLike<number>> = {}
    for (const { output } of [...tapped.seen, ...tapped.counts]) {
      sightings[output] = (outputs[output] as Tensor<'int32'>).data
    }
    for (const stage of untapped) {
      sightings[seenOf(stage)] = [(after[stage]?.rows ?? 0) - (before[stage]?.rows ?? 0)]
    }
    this.#counter.add(rowsOf(outputs, tapped), sightings)
    this.#recordWhole(sample, { outputs, sightings })
    this.#keep(sample, at)
  }

  result(): SampleRun {
    const { recorded, untapped, pipeline } = this.#parts
    if (this.#taken === 0) {
      throw invalid('samples: expected at least one request, got none; give some that are usual')
    }
    const rows = new Map([...recorded].map(([name, { rows }]) => [name, rows]))
    const idle = pipeline.order.find((name) => rows.get(name)?.length === 0)
    if (idle !== undefined) {
      const problem = `none of the ${this.#taken} requests made stage "${idle}" run`
      throw invalid(`samples: ${problem}, so that nothing can be measured of it; add one that does`)
    }
    return { ...this.#counter.result(), rows, untapped, some: this.#kept }
  }

  // Every one, then every second, fourth, ...: those kept are spread evenly, however many will come.
  #keep(sample: object, at: number): void {
    if (at % this.#every !== 0) return
    this.#kept.push(sample)
    if (this.#kept.length < mostKept) return
    this.#every *= 2
    this.#kept = this.#kept.filter((_, index) => index % 2 === 0)
  }

  async #infer(
    engine: MeasuringEngine,
    sample: object,
    at: number,
  ): Promise<Record<string, Tensor>> {
    try {
      return await engine.infer(sample as Record<string, Tensor>)
    } catch (error) {
      if (!MillraceError.is(error) || error.code === 'MILLRACE_CLOSED') throw error
      const stage =
        error.stage === undefined ? undefined : this.#parts.tapped.nameThere(error.stage)
      const message = error.message.replace(`stage "${error.stage}"`, `stage "${stage}"`)
      throw new MillraceError({
        code: error.code,
        message: `samples, request ${at}: ${message}`,
        stage,
        cause: error,
      })
    }
  }

  /** What stages without a tap were given: inputs of the request, or values that were made outputs for them. */
  #recordWhole(
    sample: object,
    seen: {
      readonly outputs: Record<string, Tensor>
      readonly sightings: Readonly<Record<string, ArrayLike<number>>>
    },
  ): void {
    const { untapped, pipeline, recorded, tapped, signatures } = this.#parts
    const ran = (text: string): boolean => {
      const { node } = parseReference(text)
      const tap = tapped.seen.find(({ stage }) => stage === node)
      return node === requestNode || seen.sightings[tap?.output ?? seenOf(node)]?.[0] === 1
    }
    for (const name of untapped) {
      if (seen.sightings[seenOf(name)]?.[0] !== 1) continue
      const stage = pipeline.stages[name] as Stage
      const row = Object.entries(stage.inputs).map(([input, candidates]) => {
        const text = candidates.find(ran) as string // or it would not have run
        const output = tapped.values.get(text)
        const spec = signatures.get(name)?.inputs.find((one) => one.name === input)
        const value = (sample as Record<string, unknown>)[parseReference(text).value]
        return [input, output === undefined ? tensorOf(value, spec) : seen.outputs[output]]
      })
      recorded.get(name)?.addRow(() => Object.fromEntries(row) as Row)
    }
  }
}

/** In place of an output of the tapped pipeline; no name of one has a colon. */
function seenOf(stage: string): string {
  return `${stage}:seen`
}

/** All values at the level of the request have as many. */
function rowsOf(outputs: Record<string, Tensor>, { seen }: TappedPipeline): number {
  const outer = seen.find(({ level }) => level.length === 0)
  return outer === undefined ? 1 : ((outputs[outer.output] as Tensor).dims[0] as number)
}

/** A value of a request in full: where it is bare, its shape is that of the model. */
function tensorOf(value: unknown, spec: ModelSignature['inputs'][number] | undefined): unknown {
  const bare = ArrayBuffer.isView(value) || Array.isArray(value)
  return bare ? { type: spec?.type, dims: spec?.dims, data: value } : value
}

/** Models that take whole tensors whose first dimension is not one row: no function can be given those. */
function untappable(
  pipeline: Pipeline,
  signatures: ReadonlyMap<string, ModelSignature>,
): ReadonlySet<string> {
  const names = pipeline.order.filter((name) => {
    const signature = signatures.get(name) as ModelSignature
    if (isFunctionStage(pipeline.stages[name] as Stage) || isBatched(signature)) return false
    return signature.inputs.some(({ dims }) => dims[0] !== 1 && dims[0] !== -1)
  })
  return new Set(names)
}

/** What values of stages hold where those do not run; by reference. */
function defaultsFor(
  pipeline: Pipeline,
  signatures: ReadonlyMap<string, ModelSignature>,
): ReadonlyMap<string, number | string | boolean> {
  const defaults = pipeline.order.flatMap((name) => {
    return (signatures.get(name) as ModelSignature).outputs.map((spec) => {
      return [`${name}.${spec.name}`, zeroOf(spec.type)] as const
    })
  })
  return new Map(defaults)
}

function zeroOf(type: TensorType): number | string | boolean {
  const kind = elementFormats[type]?.kind
  return kind === 'string' ? '' : kind === 'bool' ? false : 0
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
