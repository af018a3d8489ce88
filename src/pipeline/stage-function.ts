// What the functions of js() and inline() stages are given and give back.
import type { Tensor, TensorLike } from './tensor.ts'

/** The inputs of one call, by name. */
export type FunctionInputs = Readonly<Record<string, Tensor>>

/**
 * One output of a function: a tensor, or the bare elements where the shape is known. A function that is given one row
 * at a time may return a plain value for a row of one element; a batched one, a list with the tensor of each row, which
 * may differ in shape.
 */
export type FunctionValue = TensorLike | readonly TensorLike[] | number | bigint | boolean | string

/** All that a call results in. */
export type FunctionOutputs<Names extends string = string> = Readonly<Record<Names, FunctionValue>>

/** What a function knows about the call, beside its inputs. */
export interface FunctionContext {
  /** Rows of this call: 1 unless the stage is `batched`. */
  readonly rows: number
  /**
   * Milliseconds left, when the batch was begun, until the earliest deadline among its rows; Infinity where none has
   * one. Rows that are given one by one share what is said of their batch here, and its signal.
   */
  readonly deadlineMs: number
  /** Aborts once nobody waits for any row of the batch any more, or it has taken longer than `timeoutMs`. */
  readonly signal: AbortSignal
  /** What the `setup` export of a js() module returned in this worker; undefined for inline(). */
  readonly state: unknown
}

/**
 * The function of a stage. A batched one is given tensors whose first dimension counts rows, and returns such tensors,
 * or lists of those of its rows; any other is given the tensors of one row, without that dimension. What it throws fails the rows of the call.
 */
// Declared as a method, whose parameters TypeScript compares both ways: a function may ask for a `Tensor<'uint8'>`
// where the stage leaves the type to the value that feeds it.
export type StageFunction<
  Inputs extends FunctionInputs = FunctionInputs,
  Outputs extends string = string,
> = {
  run(
    inputs: Inputs,
    context: FunctionContext,
  ): FunctionOutputs<Outputs> | Promise<FunctionOutputs<Outputs>>
}['run']
