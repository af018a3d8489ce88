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
  return `${durationMs < 10 ? Number(durationMs.toPrecision(3)) : durationMs.toFixed(1)} ms`
}

/** `7 of 8`. */
export function outOf(count: number, all: number): string {
  return `${count} of ${all}`
}

/** `1,234/s`, and `12.3/s`. */
export function perSecond(rate: number): string {
  return `${rate < 100 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en-US')}/s`
}
