/** A provider of `@opentelemetry/api`, without its types for those who have it not. */
export interface TracerProviderLike {
  /**
   * The tracer whose spans are made.
   *
   * @param name `millrace`.
   * @param version Default: none, and Millrace gives none.
   */
  getTracer(name: string, version?: string): unknown
}
