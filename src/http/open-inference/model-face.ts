import type { ValueDescription } from '../../engine/described-values.ts'
import type { Engine } from '../../engine/engine.ts'
import { type ElementFormat, elementFormats, type TensorType } from '../../pipeline/tensor.ts'
import { datatypes } from './datatypes.ts'

/** An input or output of a model as the protocol speaks of it. */
export interface TensorFace {
  readonly name: string
  readonly type: TensorType
  readonly datatype: string
  /** -1 where open. */
  readonly shape: readonly number[]
  readonly format: ElementFormat
  /** How its entry in a response begins, up to its shape. */
  readonly opening: string
}

/** An output that a response is to hold, and in which encoding. */
export interface WantedOutput {
  readonly output: TensorFace
  readonly binary: boolean
}

/** All that can be known of a model before a request comes: made once. */
export class ModelFace {
  readonly name: string
  readonly engine: Engine
  readonly inputs: ReadonlyMap<string, TensorFace>
  readonly outputs: ReadonlyMap<string, TensorFace>
  /** All outputs, in either encoding. */
  readonly allAsJson: readonly WantedOutput[]
  readonly allAsBinary: readonly WantedOutput[]
  /** Whether an input has integers that a number may not hold. */
  readonly hasWideIntegers: boolean
  readonly metadata: string
  /** How each response begins, before its id. */
  readonly opening: string

  constructor(engine: Engine, { name, version }: { name: string; version: string }) {
    this.name = name
    this.engine = engine
    this.inputs = facesOf(engine.inputs)
    this.outputs = facesOf(engine.outputs)
    const outputs = [...this.outputs.values()]
    this.allAsJson = outputs.map((output) => ({ output, binary: false }))
    this.allAsBinary = outputs.map((output) => ({ output, binary: true }))
    this.hasWideIntegers = [...this.inputs.values()].some(({ type }) => isWide(type))
    this.metadata = JSON.stringify({
      name,
      versions: [version],
      platform: 'millrace_pipeline',
      inputs: [...this.inputs.values()].map(describe),
      outputs: outputs.map(describe),
    })
    this.opening = JSON.stringify({ model_name: name, model_version: version }).slice(0, -1)
  }
}

function facesOf(
  values: Readonly<Record<string, ValueDescription>>,
): ReadonlyMap<string, TensorFace> {
  return new Map(Object.entries(values).map(([name, value]) => [name, faceOf(name, value)]))
}

function faceOf(name: string, { type, dims }: ValueDescription): TensorFace {
  const datatype = datatypes[type]
  const opening = `${JSON.stringify({ name, datatype }).slice(0, -1)},"shape":[`
  return { name, type, datatype, shape: dims, format: elementFormats[type], opening }
}

function describe({ name, datatype, shape }: TensorFace) {
  return { name, datatype, shape }
}

function isWide(type: TensorType): boolean {
  return type === 'int64' || type === 'uint64'
}
