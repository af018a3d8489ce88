import { definePipeline } from '../pipeline/define-pipeline.ts'
import type { ModelVariant } from '../pipeline/model-variants.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { parseReference } from '../pipeline/reference.ts'
import { isFunctionStage, type Stage } from '../pipeline/stage.ts'
import { sealStage } from '../pipeline/stage-options.ts'
import { isBatched, type ModelSignature } from '../pipeline/tensor-spec.ts'
import type { ProviderName } from '../pipeline/tier.ts'
import type { Row } from './recorded-rows.ts'

/** A pipeline of one stage of another pipeline. */
export interface LoneStage {
  readonly pipeline: Pipeline
  /** Its name there. */
  readonly name: string
  readonly stage: Stage
  /** Whether several rows make a batch. */
  readonly batched: boolean
  /** Whether rows of any shapes make one. */
  readonly mixed: boolean
  /** Whether outputs of different rows may differ in shape, so that a request may have one row only. */
  readonly raggedOutputs: boolean
  /** What the recorded inputs of the stage are called in a request. */
  requestOf(row: Row): Row
}

/** What {@link loneStage} calls the only stage. */
export const aloneName = 'alone'

/**
 * The stage by itself: its inputs are those of the request, it runs for every row, keeps no results, and gives the
 * outputs that the pipeline reads. Pure.
 */
export function loneStage(
  pipeline: Pipeline,
  {
    name,
    signature,
    variant,
    provider,
  }: {
    readonly name: string
    readonly signature: ModelSignature
    /** Which of the models it lists; undefined where it has one. */
    readonly variant: ModelVariant | undefined
    /** What it is to run on, and nothing in its place. */
    readonly provider: ProviderName
  },
): LoneStage {
  const found = pipeline.stages[name] as Stage
  const stage = onProvider(variant === undefined ? found : withModel(found, variant), provider)
  const inputs = Object.keys(stage.inputs).map((input, at) => [input, `in${at}`] as const)
  const outputs = outputsRead(pipeline, name)
  const alone = sealStage({
    ...stage,
    ...(isFunctionStage(stage) ? { inputShapes: shapesOf(signature) } : {}),
    inputs: Object.freeze(
      Object.fromEntries(inputs.map(([input, given]) => [input, [`request.${given}`]])),
    ),
    when: undefined,
    fanOut: false,
    gather: undefined,
    cache: undefined,
  } as Stage)
  const read = outputs.map((output, at) => [`out${at}`, `${aloneName}.${output}`] as const)
  const batched = isFunctionStage(stage) || isBatched(signature)
  return {
    pipeline: definePipeline({
      name: pipeline.name,
      stages: { [aloneName]: alone },
      outputs: Object.fromEntries(read),
    } as never) as Pipeline,
    name,
    stage,
    batched,
    mixed: isFunctionStage(stage) && !stage.batched,
    raggedOutputs:
      batched &&
      signature.outputs.some(
        (spec) => outputs.includes(spec.name) && spec.dims.slice(1).includes(-1),
      ),
    requestOf: (row) => {
      return Object.fromEntries(inputs.map(([input, given]) => [given, row[input]])) as Row
    },
  }
}

function withModel(stage: Stage, { source }: ModelVariant): Stage {
  return { ...stage, source, models: undefined } as Stage
}

/** What is measured as one provider must not be another that took its place. */
function onProvider(stage: Stage, provider: ProviderName): Stage {
  if (stage.kind === 'cuda' && provider === 'cuda') return { ...stage, fallback: undefined }
  if (stage.kind !== 'onnx' || stage.providers === undefined) return stage
  return { ...stage, providers: stage.providers.filter((one) => one.provider === provider) }
}

function shapesOf({ inputs }: ModelSignature) {
  return Object.fromEntries(
    inputs.map(({ name, type, dims }) => [name, { type, dims: dims.slice(1) }]),
  )
}

/** The outputs of a stage that anybody uses. */
function outputsRead(pipeline: Pipeline, stage: string): readonly string[] {
  const texts = [
    ...Object.values<Stage>(pipeline.stages).flatMap(({ inputs, when }) => {
      return [...Object.values(inputs).flat(), ...(when === undefined ? [] : [when.output])]
    }),
    ...Object.values(pipeline.outputs).flatMap(({ candidates }) => candidates),
  ]
  const read = texts.map(parseReference).filter(({ node }) => node === stage)
  return [...new Set(read.map(({ value }) => value))]
}
