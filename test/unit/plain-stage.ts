/** What a bound stage has that asks for nothing special. */
export const plainStage = {
  fanOut: false,
  gather: undefined,
  padding: [],
  trims: [],
  cache: undefined,
  isolate: true,
} as const
