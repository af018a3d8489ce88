import type { StageCache } from './stage-options.ts'
import type { TensorType } from './tensor.ts'
import type { TensorSpec } from './tensor-spec.ts'

/**
 * A pipeline checked against its models, as the native core takes it: names are gone, what refers
 * does so by index. Stages are in topological order.
 */
export interface BoundPipeline {
  /** What a request must hold, in the order of `Pipeline.requestInputs`. */
  readonly inputs: readonly BoundValue[]
  readonly stages: readonly BoundStage[]
  readonly outputs: readonly BoundOutput[]
  /**
   * Whether requests may have several rows: the first dimension of every value then counts them.
   * Otherwise a request is one row, which is the whole tensor.
   */
  readonly batched: boolean
}

/** A tensor with its name outside of any model. */
export interface BoundValue {
  readonly name: string
  readonly type: TensorType
  /** With the dimension that counts rows, if any; -1 where open. */
  readonly dims: readonly number[]
}

/**
 * Where a value comes from. `stage` counts in `BoundPipeline.stages`, `output` in the outputs of
 * its model.
 */
export type Source =
  | { readonly kind: 'request'; readonly input: number }
  | { readonly kind: 'stage'; readonly stage: number; readonly output: number }

export interface BoundStage {
  readonly name: string
  /**
   * Whether the model runs several rows at once; otherwise it is given one whole tensor after the
   * other.
   */
  readonly batched: boolean
  /** For each input of the model, in its order, the candidates: the first that ran is taken. */
  readonly inputs: readonly (readonly Source[])[]
  /** As the model declares them. */
  readonly inputSpecs: readonly TensorSpec[]
  /** As the model declares them. */
  readonly outputs: readonly TensorSpec[]
  readonly condition: BoundCondition | undefined
  /**
   * The first dimension of each row of every output counts items, and what reads them runs once an
   * item: in their dims it takes the place of the dimension that counts rows.
   */
  readonly fanOut: boolean
  /**
   * The fan-out stage whose items come together again here: an input fed by a value of its items is
   * given all of a row's items at once.
   */
  readonly gather: number | undefined
  /** For each input of the model, how its open dimensions are filled; undefined where they are not. */
  readonly padding: readonly (Padding | undefined)[]
  /** For each output and each dimension of its rows: the input's dimension it is cut back to. */
  readonly trims: readonly (readonly (Trim | undefined)[])[]
  readonly cache: StageCache | undefined
  /** Whether a batch that fails is run again in halves, so that only the guilty rows fail. */
  readonly isolate: boolean
}

/** How rows of different sizes are made to share a batch. */
export interface Padding {
  /** What fills; of the JavaScript type of the input. */
  readonly value: number | bigint | boolean
  /** Sizes, ascending, that are batched together; empty: the core's own grid. */
  readonly buckets: readonly number[]
}

/** A dimension of an input of the same stage; `dim` counts in its rows. */
export interface Trim {
  readonly input: number
  readonly dim: number
}

/**
 * Holds for a row when the stage asked ran for it and every test given is true of its one element.
 */
export interface BoundCondition {
  readonly source: { readonly stage: number; readonly output: number }
  readonly type: TensorType
  /** Rounded to the precision of `type`, as is `above`. */
  readonly below: number | undefined
  readonly above: number | undefined
  /** To be compared as a float64, truth values as 0 and 1; a string only where `type` is string. */
  readonly equals: number | string | undefined
}

export interface BoundOutput extends BoundValue {
  readonly sources: readonly Source[]
  /**
   * Every element of a row for which no source ran; of the JavaScript type that `type` asks for.
   */
  readonly fill: number | bigint | string | boolean | undefined
  /** Its first dimension counts the items of a fan-out, over all rows of the request, in order. */
  readonly perItem: boolean
}
