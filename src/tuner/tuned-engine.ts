/**
 * What a tuner sees of an engine: `Engine` is one, `SimulatedEngine` is another, and anything with these methods will do.
 */
export interface TunedEngine {
  /** Of each stage, the replicas that it has, or soon will have by what was asked of {@link scale}. */
  stats(): { readonly stages: Readonly<Record<string, { readonly replicas: number }>> }
  /** Sets the number of replicas of a stage; fulfils when that is done. Must not call a listener of arrivals. */
  scale(stage: string, replicas: number): Promise<void>
  /** Has a listener called at each arrival from now on, when it arrives. */
  watchArrivals(listener: () => void): { stop(): void }
  /** Needed to plan anew: writes down when requests arrive. */
  recordArrivals?(options?: { readonly maxArrivals?: number | undefined }): {
    stop(): { readonly arrivalsMs: Float64Array; readonly durationMs: number }
  }
  /** Needed to plan anew: serves another configuration, wholly or not at all. */
  apply?(plan: { readonly configuration: Readonly<Record<string, object>> }): Promise<void>
}
