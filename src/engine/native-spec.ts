import type {
  NativeCondition,
  NativeFunction,
  NativeModel,
  NativePipelineSpec,
  NativeSource,
  NativeStageSpec,
} from '../native/addon.ts'
import type {
  BoundCondition,
  BoundOutput,
  BoundPipeline,
  BoundStage,
  Padding,
  Source,
} from '../pipeline/bound-pipeline.ts'
import type { ResolvedStageConfiguration } from '../pipeline/configuration.ts'
import { encodeElement } from '../pipeline/element.ts'

/** The compiled pipeline in the form the addon reads. */
export function toNativeSpec(
  bound: BoundPipeline,
  given: {
    readonly models: ReadonlyMap<string, NativeModel | NativeFunction>
    readonly configuration: ReadonlyMap<string, ResolvedStageConfiguration>
    readonly maxPendingRows: number
    readonly objectiveMs: number
    readonly shed: boolean
    readonly warmUp: boolean
  },
): NativePipelineSpec {
  return {
    batched: bound.batched,
    maxPendingRows: given.maxPendingRows,
    objectiveMs: given.objectiveMs,
    shed: given.shed,
    warmUp: given.warmUp,
    inputs: bound.inputs,
    stages: bound.stages.map((stage) => ({
      ...known(given.configuration, stage.name), // first: its `model` is a name, the core takes the model itself
      name: stage.name,
      model: known(given.models, stage.name),
      batched: stage.batched,
      inputs: stage.inputs.map((candidates) => candidates.map(toNativeSource)),
      condition: stage.condition && toNativeCondition(stage.condition),
      fanOut: stage.fanOut,
      gather: stage.gather ?? -1,
      padding: stage.padding.map((padding, input) => toNativePadding(padding, stage, input)),
      trims: stage.trims.map((dims) => dims.map((trim) => trim && [trim.input, trim.dim])),
      cache: stage.cache,
      isolate: stage.isolate,
    })),
    outputs: bound.outputs.map((output) => ({
      name: output.name,
      sources: output.sources.map(toNativeSource),
      fill: toFill(output),
    })),
  }
}

function known<Value>(map: ReadonlyMap<string, Value>, name: string): Value {
  return map.get(name) as Value // the map was made from the same pipeline
}

function toNativeSource(source: Source): NativeSource {
  return source.kind === 'request' ? [-1, source.input] : [source.stage, source.output]
}

function toNativeCondition(condition: BoundCondition): NativeCondition {
  const { below, above, equals } = condition
  return { source: [condition.source.stage, condition.source.output], below, above, equals }
}

function toNativePadding(
  padding: Padding | undefined,
  stage: BoundStage,
  input: number,
): NativeStageSpec['padding'][number] {
  const type = stage.inputSpecs[input]?.type
  if (padding === undefined || type === undefined) return undefined
  return { element: encodeElement(padding.value, type), buckets: padding.buckets }
}

/** The bytes of one element of the fill, or the string. */
function toFill({ fill, type }: BoundOutput): Uint8Array | string | undefined {
  if (fill === undefined || typeof fill === 'string') return fill
  return encodeElement(fill, type)
}
