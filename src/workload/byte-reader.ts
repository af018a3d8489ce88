const [tab, newline, carriageReturn, space] = [0x09, 0x0a, 0x0d, 0x20]
const [point, zero, nine] = [0x2e, 0x30, 0x39]
const [endOfBytes, comma, bracket, brace] = [-1, 0x2c, 0x5d, 0x7d]

// Integers of so many digits are exact, and so are the powers of ten they are divided by: one division, rounded once,
// gives the very number that JSON.parse gives.
const mostExactDigits = 15
const powersOfTen = Array.from({ length: mostExactDigits + 1 }, (_, digits) =>
  Number(`1e${digits}`),
)

const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/
const longestToken = 1000

/** Reads JSON's numbers out of bytes: the very numbers that JSON.parse gives, without an object for each. */
export class ByteReader {
  readonly bytes: Buffer
  /** Of the next byte. */
  position: number

  constructor(bytes: Buffer, position = 0) {
    this.bytes = bytes
    this.position = position
  }

  /** The next byte; -1 at the end. */
  peek(): number {
    return this.bytes[this.position] ?? -1
  }

  /** Passes over the byte if it is next. */
  take(byte: number): boolean {
    if (this.peek() !== byte) return false
    this.position++
    return true
  }

  /** Passes over white space, ends of lines included. */
  skipSpace(): void {
    for (let byte = this.peek(); isSpace(byte) || byte === newline; byte = this.peek()) {
      this.position++
    }
  }

  /** Passes over white space within the line. */
  skipSpaceOfLine(): void {
    while (isSpace(this.peek())) this.position++
  }

  /** The number that is next, which is passed over; NaN if none is, and nothing is passed over. */
  number(): number {
    const { bytes } = this
    let position = this.position
    let [mantissa, digits, whole] = [0, 0, -1]
    let byte = bytes[position] ?? -1
    for (; (byte >= zero && byte <= nine) || byte === point; byte = bytes[++position] ?? -1) {
      if (byte === point) {
        if (whole >= 0) break
        whole = digits
      } else {
        mantissa = mantissa * 10 + (byte - zero)
        digits++
      }
    }
    if (whole < 0) whole = digits
    else if (whole === digits) whole = 0
    const leads = bytes[this.position] === zero && whole > 1
    if (whole === 0 || digits > mostExactDigits || leads || !endsToken(byte)) return this.#other()
    this.position = position
    return mantissa / (powersOfTen[digits - whole] as number)
  }

  /** What is next, up to where a number would have to end, or the first characters of that. */
  token(): string {
    let end = this.position
    while (end - this.position < longestToken && !endsToken(this.bytes[end] ?? -1)) end++
    return this.bytes.toString('utf8', this.position, end)
  }

  // Exponents, signs, more digits than are exact; or no number at all.
  #other(): number {
    const text = this.token()
    if (!jsonNumber.test(text)) return Number.NaN
    this.position += text.length
    return Number(text)
  }
}

function isSpace(byte: number): boolean {
  return byte === space || byte === tab || byte === carriageReturn
}

function endsToken(byte: number): boolean {
  return (
    byte === comma ||
    byte === newline ||
    byte === bracket ||
    byte === brace ||
    byte === endOfBytes ||
    isSpace(byte)
  )
}
