import type {
  NativeCondition,
  NativeModel,
  NativePipelineSpec,
  NativeSource,
} from '../native/addon.ts'
import type {
  BoundCondition,
  BoundOutput,
  BoundPipeline,
  Source,
} from '../pipeline/bound-pipeline.ts'
import type { ResolvedStageConfiguration } from '../pipeline/configuration.ts'
import { elementFormats } from '../pipeline/tensor.ts'

/** The compiled pipeline in the form the addon reads. */
export function toNativeSpec(
  bound: BoundPipeline,
  given: {
    readonly models: ReadonlyMap<string, NativeModel>
    readonly configuration: ReadonlyMap<string, ResolvedStageConfiguration>
    readonly maxPendingRows: number
  },
): NativePipelineSpec {
  return {
    batched: bound.batched,
    maxPendingRows: given.maxPendingRows,
    inputs: bound.inputs,
    stages: bound.stages.map((stage) => ({
      name: stage.name,
      model: known(given.models, stage.name),
      batched: stage.batched,
      inputs: stage.inputs.map((candidates) => candidates.map(toNativeSource)),
      condition: stage.condition && toNativeCondition(stage.condition),
      ...known(given.configuration, stage.name),
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

/** The bytes of one element of the fill, or the string. */
function toFill({ fill, type }: BoundOutput): Uint8Array | string | undefined {
  if (fill === undefined || typeof fill === 'string') return fill
  if (type === 'float16')
    return new Uint8Array(new Uint16Array([toFloat16Bits(Number(fill))]).buffer)
  const { array: ArrayOfType } = elementFormats[type]
  if (ArrayOfType === undefined) return undefined
  const bytes = new Uint8Array(ArrayOfType.BYTES_PER_ELEMENT)
  const element = new ArrayOfType(bytes.buffer)
  element[0] = typeof fill === 'bigint' || type.endsWith('int64') ? BigInt(fill) : Number(fill)
  return bytes
}

// Half precision from single, rounded to nearest, ties to even. Node 20 has no Float16Array.
function toFloat16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(size)) return 0x7e00
  if (size >= 65520) return sign | 0x7c00
  const exponent = Math.max(-14, Math.floor(Math.log2(size)))
  const step = 2 ** (exponent - 10)
  const units = roundHalfToEven(size / step)
  return sign + (size < 2 ** -14 ? units : ((exponent + 15) << 10) + (units - 1024))
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}
