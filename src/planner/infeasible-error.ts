import { MillraceError } from '../errors.ts'

/** What keeps the objective from being met. */
export type BindingConstraint =
  | 'latency'
  | 'maxReplicas'
  | 'cores'
  | 'memory'
  | 'budget'
  | 'tiers'
  | 'accuracy'

export interface InfeasibleErrorOptions {
  readonly message: string
  readonly constraint: BindingConstraint
  readonly closestLatencyMs?: number | undefined
}

/** No configuration within the limits meets the objective. Its code is MILLRACE_INFEASIBLE. */
export class InfeasibleError extends MillraceError {
  /** What would have to give: `latency` where no hardware profiled is fast enough, else the limit. */
  readonly constraint: BindingConstraint
  /** The tightest objective, to about 1 %, that can be met within the limits; undefined where none can. */
  readonly closestLatencyMs: number | undefined

  constructor({ message, constraint, closestLatencyMs }: InfeasibleErrorOptions) {
    super({ code: 'MILLRACE_INFEASIBLE', message })
    this.constraint = constraint
    this.closestLatencyMs = closestLatencyMs
  }

  static {
    Object.defineProperty(InfeasibleError.prototype, 'name', { value: 'InfeasibleError' })
  }
}
