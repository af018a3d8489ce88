// Logarithm, exponential and sine of addition, multiplication, division and square root alone, which IEEE 754 defines to
// the last bit. Math.log, Math.exp, Math.sin and ** are not: JavaScript lets each engine round them in its own way, and
// the same seed would give another trace on another machine. Within 2 units in the last place (`exactSinTurns`: 3e-16).

// The bits of one number, the same on machines of either byte order.
const pattern = new DataView(new ArrayBuffer(8))

// The upper part has 32 bits, so that its product with an exponent is exact.
const ln2Upper = 2977044472 / 4294967296
const ln2Lower = -4.2009150726810846e-11
const sqrtHalf = Math.sqrt(0.5)
const twoTo54 = 18014398509481984

// 1/3, 1/5, ..., 1/25: of atanh. At most 0.0295 ** 12 of it is left out.
const oddReciprocals = Array.from({ length: 12 }, (_, index) => 1 / (2 * index + 3))
// Powers in the series of exp, and of sine, beyond which nothing is left to add.
const expTerms = 15
const sinTerms = 17

/** The natural logarithm of a finite number above 0. Of 0 it is -Infinity, of anything below NaN. */
export function exactLog(value: number): number {
  if (!(value > 0)) return value === 0 ? Number.NEGATIVE_INFINITY : Number.NaN
  if (value === Number.POSITIVE_INFINITY) return value
  if (value < 2.2250738585072014e-308) {
    return exactLog(value * twoTo54) - 54 * (ln2Upper + ln2Lower)
  }
  pattern.setFloat64(0, value)
  const word = pattern.getInt32(0)
  let exponent = (word >> 20) - 1022
  pattern.setInt32(0, (word & 0xfffff) | 0x3fe00000)
  let mantissa = pattern.getFloat64(0)
  if (mantissa < sqrtHalf) {
    mantissa *= 2
    exponent--
  }
  // log m = 2 atanh((m - 1) / (m + 1)), and the quotient is within 0.172 of 0.
  const excess = mantissa - 1
  const quotient = excess / (2 + excess)
  const square = quotient * quotient
  let series = 0
  for (let index = oddReciprocals.length - 1; index >= 0; index--) {
    series = series * square + (oddReciprocals[index] as number)
  }
  // 2 q = e - q e, so that only the small part of the sum is rounded twice.
  const small = quotient * (2 * square * series - excess)
  return exponent * ln2Upper + (excess + (small + exponent * ln2Lower))
}

/** The exponential function; 0 and Infinity where the result is out of range. */
export function exactExp(value: number): number {
  if (value > 709.79) return Number.POSITIVE_INFINITY
  if (value < -745.2) return 0
  if (Number.isNaN(value)) return value
  const exponent = Math.round(value / (ln2Upper + ln2Lower))
  const rest = value - exponent * ln2Upper - exponent * ln2Lower
  let tail = 0
  for (let term = expTerms; term >= 2; term--) tail = ((1 + tail) * rest) / term
  // In two steps, because neither 2^1024 nor 2^-1075 is a number; the first is exact.
  const half = exponent >> 1
  return (1 + (rest + rest * tail)) * powerOfTwo(half) * powerOfTwo(exponent - half)
}

/** The sine of an angle in turns: of 0.25 it is 1. Turns are reduced exactly, radians could not be. */
export function exactSinTurns(turns: number): number {
  const eighths = (turns - Math.floor(turns)) * 8
  const quarter = Math.floor((eighths + 1) / 2)
  const radians = (eighths - 2 * quarter) * (Math.PI / 4)
  const magnitude = quarter % 2 === 0 ? sinSeries(radians) : cosSeries(radians)
  return quarter === 2 || quarter === 3 ? -magnitude : magnitude
}

function sinSeries(radians: number): number {
  const square = radians * radians
  let tail = 0
  for (let term = sinTerms; term >= 3; term -= 2) {
    tail = ((1 + tail) * -square) / (term * (term - 1))
  }
  return radians + radians * tail
}

function cosSeries(radians: number): number {
  const square = radians * radians
  let tail = 0
  for (let term = sinTerms + 1; term >= 2; term -= 2) {
    tail = ((1 + tail) * -square) / (term * (term - 1))
  }
  return 1 + tail
}

/** For exponents of normal numbers, from -1022 to 1023. */
function powerOfTwo(exponent: number): number {
  pattern.setInt32(0, (exponent + 1023) << 20)
  pattern.setInt32(4, 0)
  return pattern.getFloat64(0)
}
