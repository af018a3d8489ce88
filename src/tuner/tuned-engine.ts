/**
 * What a tuner sees of an engine: `Engine` is one, `SimulatedEngine` is another, and anything with these methods will do.
 */
export interface TunedEngine {
  /** Of each stage, the replicas that it has, or soon will have by what was asked of {@link scale}. */
  stats(): {
    /** By stage. */
    readonly stages: Readonly<
      Record<
        string,
        {
          /** How many replicas it has, or soon will have. */
          readonly replicas: number
        }
      >
    >
  }
  /**
   * Sets the number of replicas of a stage; fulfils when that is done. Must not call a listener of arrivals.
   *
   * @param stage Name of the stage.
   * @param replicas How many it is to have.
   * @throws {MillraceError} (by rejecting) Anything; MILLRACE_CLOSED stops the tuner, all else is its event `error`.
   */
  scale(stage: string, replicas: number): Promise<void>
  /**
   * Has a listener called at each arrival from now on, when it arrives.
   *
   * @param listener Never throws, and returns at once.
   */
  watchArrivals(listener: () => void): {
    /** Ends it. */
    stop(): void
  }
  /**
   * Needed to plan anew, else absent: writes down when requests arrive.
   *
   * @param options Default: the engine's own.
   */
  recordArrivals?(options?: {
    /** Arrivals that are kept at most. Default: the engine's own. */
    readonly maxArrivals?: number | undefined
  }): {
    /** Ends the recording. */
    stop(): {
      /** Milliseconds from its start, ascending. */
      readonly arrivalsMs: Float64Array
      /** Milliseconds that were recorded. */
      readonly durationMs: number
    }
  }
  /**
   * Needed to plan anew, else absent: serves another configuration, wholly or not at all.
   *
   * @param plan As much of the new plan as an engine needs.
   * @throws {MillraceError} (by rejecting) Anything; MILLRACE_CLOSED stops the tuner, all else is its event `error`.
   */
  apply?(plan: {
    /** By stage: how it is to be run. */
    readonly configuration: Readonly<Record<string, object>>
  }): Promise<void>
}
