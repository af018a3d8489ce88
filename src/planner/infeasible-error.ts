import { MillraceError } from '../errors.ts'

/**
 * What keeps the objective from being met: `latency` where no hardware profiled is fast enough, `tiers` where stages have
 * none left to run on or faster ones are not allowed, `accuracy` where the models that are accurate enough are too slow, else
 * the limit of {@link PlanLimits} that binds.
 */
export type BindingConstraint =
  | 'latency'
  | 'maxReplicas'
  | 'cores'
  | 'memory'
  | 'budget'
  | 'tiers'
  | 'accuracy'

/** What an {@link InfeasibleError} is made of. */
export interface InfeasibleErrorOptions {
  /** Says what was asked for, what binds, and what to change. */
  readonly message: string
  /** What would have to give. */
  readonly constraint: BindingConstraint
  /** Milliseconds of the tightest objective that can be met within the limits. Default: none can, or nobody looked. */
  readonly closestLatencyMs?: number | undefined
}

/** No configuration within the limits meets the objective. Its code is MILLRACE_INFEASIBLE. */
export class InfeasibleError extends MillraceError {
  /** What would have to give: `latency` where no hardware profiled is fast enough, else the limit. */
  readonly constraint: BindingConstraint
  /** The tightest objective, to about 1 %, that can be met within the limits; undefined where none can. */
  readonly closestLatencyMs: number | undefined

  /**
   * As the planner makes it; never throws.
   *
   * @param options What it says.
   */
  constructor({ message, constraint, closestLatencyMs }: InfeasibleErrorOptions) {
    super({ code: 'MILLRACE_INFEASIBLE', message })
    this.constraint = constraint
    this.closestLatencyMs = closestLatencyMs
  }

  static {
    Object.defineProperty(InfeasibleError.prototype, 'name', { value: 'InfeasibleError' })
  }
}
