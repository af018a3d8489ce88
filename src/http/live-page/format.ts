// Numbers as a person reads them. A dash for what there is not.

const none = '–'

/** Three digits: `0.123`, `12.3`, `1,234`. */
export function number(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return none
  if (value === 0) return '0'
  const size = Math.abs(value)
  const digits = size >= 99.5 ? 0 : size >= 9.995 ? 1 : size >= 0.0995 ? 2 : 3
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

/** `3.21 ms`. */
export function ms(durationMs: number | undefined): string {
  return withUnit(number(durationMs), 'ms')
}

/** `150/s`. */
export function rate(ratePerS: number | undefined): string {
  const text = number(ratePerS)
  return text === none ? none : `${text}/s`
}

/** `1,234`. */
export function count(value: number | undefined): string {
  return value === undefined ? none : Math.round(value).toLocaleString('en-US')
}

/** `62 %`: how busy something is. */
export function percent(share: number | undefined): string {
  if (share === undefined) return none
  return share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`
}

/** `99.12 %`: never 100 where something is missing, never 0 where something is there. */
export function attainment(share: number | undefined): string {
  if (share === undefined) return none
  if (share === 1) return '100 %'
  const cut = Math.floor(share * 10_000) / 100
  return `${(share > 0 ? Math.max(0.01, cut) : 0).toFixed(2)} %`
}

/** `+12 %`, `×3.4`: how much more was measured than predicted. */
export function difference(predicted: number | undefined, measured: number | undefined): string {
  if (predicted === undefined || measured === undefined) return none
  if (predicted === measured) return 'none'
  const ratio = measured / predicted
  if (!(predicted > 0) || !Number.isFinite(ratio)) return none
  if (ratio >= 3) return `×${number(ratio)}`
  const percents = Math.round((ratio - 1) * 100)
  return percents === 0 ? 'none' : `${percents > 0 ? '+' : '−'}${Math.abs(percents)} %`
}

/** `−1.23 points`: how much more of all requests. */
export function shareDifference(
  predicted: number | undefined,
  measured: number | undefined,
): string {
  if (predicted === undefined || measured === undefined) return none
  const points = Math.abs(measured - predicted) * 100
  if (points < 0.005) return 'none'
  return `${measured > predicted ? '+' : '−'}${points.toFixed(2)} points`
}

/** In the currency of the prices. */
export function cost(perHour: number | undefined): string {
  if (perHour === undefined) return none
  return perHour !== 0 && perHour < 0.1 ? perHour.toPrecision(2) : perHour.toFixed(2)
}

/** `5 min`, `20 s`. */
export function span(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000)
  return seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

/** The time of day where the reader is. */
export function timeOfDay(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB')
}

function withUnit(text: string, unit: string): string {
  return text === none ? none : `${text} ${unit}`
}
