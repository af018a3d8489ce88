// Numbers as the report says them.

/** `$12.34`. */
export function dollars(value: number): string {
  return `$${value.toFixed(2)}`
}

/** `99.12 %`. */
export function percent(share: number, decimals = 2): string {
  return `${(100 * share).toFixed(decimals)} %`
}

/** `1.23 times`. */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)} times`
}

/** `12.3 ms`. */
export function milliseconds(durationMs: number): string {
  return `${durationMs.toFixed(durationMs < 10 ? 2 : 1)} ms`
}

/** `7 of 8`. */
export function outOf(count: number, all: number): string {
  return `${count} of ${all}`
}
