/** A provider of `@opentelemetry/api`, without its types for those who have it not. */
export interface TracerProviderLike {
  getTracer(name: string, version?: string): unknown
}
