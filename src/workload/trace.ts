/** When requests arrive. */
export class Trace {
  /** Milliseconds from the start, ascending, not negative. Not to be written to. */
  readonly arrivalsMs: Float64Array
  /** How it was made; anything JSON holds. */
  readonly meta: Readonly<Record<string, unknown>>

  constructor(options: {
    readonly arrivalsMs: ArrayLike<number>
    readonly meta?: Readonly<Record<string, unknown>>
  }) {
    this.arrivalsMs = Float64Array.from(options.arrivalsMs)
    this.meta = options.meta ?? {}
  }
}
