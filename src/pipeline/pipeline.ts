import type { Objective } from './objective.ts'
import type { Stage } from './stage.ts'
import type { Tensor, TensorLike } from './tensor.ts'

/** What an output holds for rows for which no candidate ran. */
export type DefaultValue = number | bigint | string | boolean

/** Where an output of a pipeline comes from. */
export interface PipelineOutput {
  /** References, of which the first whose stage ran is taken. */
  readonly candidates: readonly string[]
  /** What it holds for rows for which no candidate ran; undefined where one always runs. */
  readonly default: DefaultValue | undefined
}

/**
 * A checked pipeline, frozen and without any state: one may be run by many engines. Made by
 * `definePipeline`. The type carries the names of the request's inputs, of the outputs and of the
 * stages.
 */
export interface Pipeline<
  Inputs extends string = string,
  Outputs extends string = string,
  Stages extends string = string,
> {
  /** What profiles, plans, metrics and messages call it. */
  readonly name: string
  /** What it promises, its defaults filled in; undefined where it promises nothing. */
  readonly objective: Objective | undefined
  /**
   * By name, in the order of the definition. A condition that is a function has a stage of its own before its stage, called
   * `STAGE:when`.
   */
  readonly stages: Readonly<Record<Stages, Stage>>
  /**
   * The stages so that each comes after all it depends on; otherwise in the order of the
   * definition.
   */
  readonly order: readonly Stages[]
  /** The inputs a request must have: every NAME of a 'request.NAME', in the order of first use. */
  readonly requestInputs: readonly Inputs[]
  /** What a request results in, by name, in the order of the definition. */
  readonly outputs: Readonly<Record<Outputs, PipelineOutput>>
}

/** The inputs that a request to a pipeline must have. */
export type InputsOf<P> =
  P extends Pipeline<infer Inputs, infer _Outputs, infer _Stages>
    ? { readonly [Name in Inputs]: TensorLike }
    : never

/** The result of a request to a pipeline. */
export type OutputsOf<P> =
  P extends Pipeline<infer _Inputs, infer Outputs, infer _Stages>
    ? { readonly [Name in Outputs]: Tensor }
    : never

/** The names of the stages of a pipeline. */
export type StagesOf<P> =
  P extends Pipeline<infer _Inputs, infer _Outputs, infer Stages> ? Stages : never
