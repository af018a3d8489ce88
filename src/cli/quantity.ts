// Numbers as a person reads them, with their units.

/** Three digits: `0.123 ms`, `12.3 ms`, `1,234 ms`. A dash for what there is not. */
export function formatMs(durationMs: number | undefined): string {
  return isThere(durationMs) ? `${formatNumber(durationMs)} ms` : '-'
}

/** Two decimals: `99.12 %`. */
export function formatShare(share: number | undefined): string {
  return isThere(share) ? `${(share * 100).toFixed(2)} %` : '-'
}

/** `1.2340 /h`, in the currency of the hardware file. */
export function formatCost(costPerHour: number): string {
  const isTiny = costPerHour !== 0 && costPerHour < 0.01
  return `${isTiny ? costPerHour.toPrecision(3) : costPerHour.toFixed(4)} /h`
}

/** `150 /s`. */
export function formatRate(ratePerS: number): string {
  return `${formatNumber(ratePerS)} /s`
}

/** Three digits at least; all of those before the point, in groups of three. */
export function formatNumber(value: number | undefined): string {
  if (!isThere(value)) return '-'
  const decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  const small = value !== 0 && Math.abs(value) < 1
  return small
    ? value.toPrecision(3)
    : value.toLocaleString('en-US', {
        minimumFractionDigits: decimals,
        maximumFractionDigits: decimals,
      })
}

/** `1,234`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}

function isThere(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value)
}
