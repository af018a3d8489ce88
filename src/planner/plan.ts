import type { Estimate, PlannedConfiguration } from '../estimator/estimate.ts'
import type { Objective } from '../pipeline/objective.ts'

export const strategies = ['optimal', 'inferline', 'cg-mean', 'cg-peak'] as const

/**
 * How the planner chooses. `optimal`: the true minimum cost, by branch and bound over tiers, models, batches and replicas
 * (src/planner/README.md says what that rests on). `inferline`: greedily, as published (Crankshaw et al., "InferLine", SoCC
 * 2020, section 4.3). `cg-mean` and `cg-peak`: the baselines of that paper (section 6), which take the pipeline as one black
 * box and copy it until it sustains the mean, or the peak, rate; they may miss the objective.
 *
 * @useDeclaredType
 */
export type Strategy = (typeof strategies)[number]

/**
 * A configuration, what it is expected to do, and why it is this one. The file format `profiles/plan.schema.json`,
 * version 1. Holds no date: the same question gives the same bytes.
 */
export interface Plan {
  /** Of the format. */
  readonly version: 1
  /** Name of the pipeline. */
  readonly pipeline: string
  /** What it was planned for. */
  readonly objective: Objective
  /** How it was chosen. */
  readonly strategy: Strategy
  /** By stage: how it is to be run. */
  readonly configuration: PlannedConfiguration
  /** What all replicas cost an hour, in the currency of the hardware's prices. */
  readonly costPerHour: number
  /** What it makes of the trace it was planned for. */
  readonly estimate: Estimate
  /** What a {@link Tuner} needs to know of it. */
  readonly tuning: Tuning
  /** By stage: why it is run this way. */
  readonly reasons: Readonly<Record<string, string>>
  /** How the planner came to it. */
  readonly search: PlanSearch
}

/** What a tuner needs to know of the plan (InferLine, section 5). */
export interface Tuning {
  /** The most arrivals of the planned trace in any window of each length, from the pipeline's service time to a minute. */
  readonly envelope: readonly {
    /** Length of the window. */
    readonly windowMs: number
    /** Requests that arrived in the fullest such window. */
    readonly arrivals: number
  }[]
  /** By stage: how much traffic its replicas are good for. */
  readonly stages: Readonly<
    Record<
      string,
      {
        /** Rows a second of one replica at its largest batch. */
        readonly replicaRatePerS: number
        /** Visits of the stage per request of the pipeline, on average. */
        readonly scaleFactor: number
        /** How full the planned replicas are at the trace's mean rate, from 0 to 1. */
        readonly load: number
      }
    >
  >
}

/** How the planner came to its answer. */
export interface PlanSearch {
  /** How many configurations there are within the limits on replicas, batches and tiers. */
  readonly candidates: number
  /** How many of them each bound ruled out without a simulation. */
  readonly ruledOut: Readonly<Record<string, number>>
  /** How many were simulated, to the end or until they had failed. */
  readonly simulated: number
}

/** What a plan may use. */
export interface PlanLimits {
  /**
   * Replicas of one stage, from 1 to 4096. Default 64; where the profile tells of contention and of its machine, 4 for each
   * core of that if these are fewer.
   */
  readonly maxReplicas?: number | undefined
  /** Rows of one batch, at least 1. Default: the largest that was profiled. */
  readonly maxBatch?: number | undefined
  /** Threads of all replicas of kind `cpu` that keep a core busy, at least 0. Default: no limit. */
  readonly cores?: number | undefined
  /** Megabytes of all models and replicas, at least 0. Default: no limit. */
  readonly memoryMb?: number | undefined
  /** What all replicas may cost, at least 0, in the currency of the hardware's prices. Default: no limit. */
  readonly budgetPerHour?: number | undefined
  /** Tiers that may be used. Default: all that are profiled and priced. */
  readonly tiers?: readonly string[] | undefined
  /** Least accuracy of the pipeline, from 0 to 1. Default: that of the best models. */
  readonly minAccuracy?: number | undefined
}
