import type { Estimate, PlannedConfiguration } from '../estimator/estimate.ts'
import type { Objective } from '../pipeline/objective.ts'

/** The strategies of the planner. */
export const strategies = ['optimal', 'inferline', 'cg-mean', 'cg-peak'] as const
export type Strategy = (typeof strategies)[number]

/**
 * A configuration, what it is expected to do, and why it is this one. The file format `profiles/plan.schema.json`,
 * version 1. Holds no date: the same question gives the same bytes.
 */
export interface Plan {
  readonly version: 1
  /** Name of the pipeline. */
  readonly pipeline: string
  readonly objective: Objective
  readonly strategy: Strategy
  readonly configuration: PlannedConfiguration
  readonly costPerHour: number
  readonly estimate: Estimate
  readonly tuning: Tuning
  /** By stage: why it is run this way. */
  readonly reasons: Readonly<Record<string, string>>
  readonly search: PlanSearch
}

/** What a tuner needs to know of the plan (InferLine, section 5). */
export interface Tuning {
  /** The most arrivals of the planned trace in any window of each length. */
  readonly envelope: readonly { readonly windowMs: number; readonly arrivals: number }[]
  readonly stages: Readonly<
    Record<
      string,
      {
        /** Rows a second of one replica at its largest batch. */
        readonly replicaRatePerS: number
        readonly scaleFactor: number
        /** How full the planned replicas are at the trace's mean rate, from 0 to 1. */
        readonly load: number
      }
    >
  >
}

/** How the planner came to its answer. */
export interface PlanSearch {
  /** Configurations within the limits. */
  readonly candidates: number
  /** Of them, ruled out by each bound, without a simulation. */
  readonly ruledOut: Readonly<Record<string, number>>
  /** Simulated, to the end or until they had failed. */
  readonly simulated: number
}

/** What a plan may use. */
export interface PlanLimits {
  /** Replicas of one stage. Default 64; where the profile tells of contention, 4 for each core of its machine. */
  readonly maxReplicas?: number | undefined
  /** Rows of a batch. Default: the largest that was profiled. */
  readonly maxBatch?: number | undefined
  /** Threads of all replicas of kind `cpu` that keep a core busy. Default: no limit. */
  readonly cores?: number | undefined
  /** Megabytes of all models and replicas. Default: no limit. */
  readonly memoryMb?: number | undefined
  /** Default: no limit. */
  readonly budgetPerHour?: number | undefined
  /** Tiers that may be used. Default: all that are profiled and priced. */
  readonly tiers?: readonly string[] | undefined
  /** Least accuracy of the pipeline, from 0 to 1. Default: that of the best models. */
  readonly minAccuracy?: number | undefined
}
