import type { BoundValue } from '../pipeline/bound-pipeline.ts'
import type { TensorType } from '../pipeline/tensor.ts'

/** What an engine takes or gives under one name. */
export interface ValueDescription {
  /** Element type, by the names of onnxruntime-common. */
  readonly type: TensorType
  /**
   * Sizes of the dimensions as the caller gives or gets them; -1 where open. Where requests may have several rows, the first
   * counts them and is open.
   */
  readonly dims: readonly number[]
}

/** Whether an engine takes requests: those accepted are still answered while it drains. */
export type EngineState = 'serving' | 'draining' | 'closed'

/** The values by name, in their order; frozen. Without a prototype, so that a name which nobody gave leads to nothing. */
export function describeValues<Name extends string>(
  values: readonly BoundValue[],
): Readonly<Record<Name, ValueDescription>> {
  const described: Record<string, ValueDescription> = Object.create(null)
  for (const { name, type, dims } of values) {
    described[name] = Object.freeze({ type, dims: Object.freeze([...dims]) })
  }
  return Object.freeze(described) as Readonly<Record<Name, ValueDescription>>
}
