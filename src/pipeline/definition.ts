// The types through which the compiler sees a misspelt reference. Stage names are those of the
// object literal; a record whose names are only known when the program runs is let through here and
// checked by definePipeline alone.
import type { ObjectiveOptions } from './objective.ts'
import type { DefaultValue } from './pipeline.ts'
import type { Candidates, ReferenceTo } from './reference.ts'
import type { StageBase } from './stage-options.ts'

/** The names of the stages of a definition. */
export type StageNames<Stages> = `${Extract<keyof Stages, string | number>}`

/** All stages of a definition, each referring to nothing but the request and the other stages. */
export type WiredStages<Stages> = {
  readonly [Name in keyof Stages]: StageBase<
    ReferenceTo<'request' | Others<StageNames<Stages>, Name>>,
    ReferenceTo<Others<StageNames<Stages>, Name>>,
    Others<StageNames<Stages>, Name>
  >
}

/**
 * The names NAME of every 'request.NAME' that feeds a stage. A template, so that editors show the
 * names themselves.
 */
export type RequestInputs<Stages> = `${{
  [Name in keyof Stages]: Stages[Name] extends StageBase<
    infer Text,
    infer _Decider,
    infer _Gathered
  >
    ? AfterRequest<Text>
    : never
}[keyof Stages]}`

/**
 * Where an output comes from: as candidates, or with what it holds for rows for which none of them
 * ran.
 */
export type OutputDefinition<Text extends string = string> =
  | Candidates<Text>
  | {
      /** References, of which the first whose stage ran is taken. */
      readonly from: Candidates<Text>
      /** What the output holds for a row for which none of them ran: every element of it. */
      readonly default: DefaultValue
    }

/** What `definePipeline` takes. */
export interface PipelineDefinition<Stages, Outputs extends string> {
  /** Letters, digits, _ and -. Default 'pipeline'. */
  readonly name?: string | undefined
  /** What the pipeline promises. Default: nothing. */
  readonly objective?: ObjectiveOptions | undefined
  /** 1 to 64 stages by name: letters, digits, _ and -; not 'request'. */
  readonly stages: Stages
  /**
   * The values that a request results in, at least one: 'STAGE.OUTPUT', a list of candidates of
   * which the first that ran is taken, or `{ from, default }`. The default is required where it may
   * be that no candidate runs.
   */
  readonly outputs: Readonly<
    Record<Outputs, OutputDefinition<ReferenceTo<'request' | StageNames<Stages>>>>
  >
}

type Others<Names extends string, Own> = string extends Names
  ? string
  : Exclude<Names, `${Extract<Own, string | number>}`>

type AfterRequest<Text extends string> = string extends Text
  ? string
  : Text extends `request.${infer Name}`
    ? Name
    : never
