export interface Fig3Data {
  readonly published: readonly BatchCurve[]
  /** Empty where the models are not here. */
  readonly live: readonly BatchCurve[]
}

export interface BatchCurve {
  readonly name: string
  readonly points: readonly {
    readonly batch: number
    readonly meanMs: number
    readonly p99Ms: number
  }[]
}
