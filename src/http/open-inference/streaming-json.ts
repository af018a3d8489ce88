import { parseLiteral, parseNumbers } from './json-numbers.ts'
import { JsonString } from './json-string.ts'
import { badRequest, type ProtocolError } from './protocol-error.ts'

type Container = unknown[] | Record<string, unknown>

/** What may come next. */
const expects = {
  value: 0,
  valueOrEnd: 1,
  keyOrEnd: 2,
  key: 3,
  colon: 4,
  commaOrEnd: 5,
  nothing: 6,
} as const

const deepest = 64
const longestLiteral = 1024
const [quote, comma, colon, open, close, openBrace, closeBrace] = [
  0x22, 0x2c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d,
]

/** For each byte: part of a run of numbers, digit, what ends a literal, white space. */
const inRun = tableOf('0123456789+-.eE, \t\n\r')
const isDigit = tableOf('0123456789')
const endsLiteral = tableOf(',]}:[{" \t\n\r')
const isSpace = tableOf(' \t\n\r')

/**
 * Reads JSON as its bytes come, in small steps, so that a large body never holds up the event loop. Beyond what
 * `JSON.parse` does: an integer that a number cannot hold exactly is a bigint, and NaN, Infinity and -Infinity are read,
 * as Python writes them. Objects have no prototype. Runs of numbers are handed to `JSON.parse`, whose speed this has
 * for tensors.
 */
export class StreamingJson {
  #expected: number = expects.value
  readonly #stack: Container[] = []
  readonly #keys: string[] = []
  #container: Container | undefined
  #key = ''
  #root: unknown
  #string: JsonString | undefined
  /** The beginning of a number or a word that the last chunk cut off. */
  #literal = ''
  #readBytes = 0

  /** @throws {ProtocolError} 400 */
  write(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) at = this.#step(chunk, at)
    this.#readBytes += chunk.length
  }

  /** What was read. @throws {ProtocolError} 400 */
  end(): unknown {
    if (this.#literal !== '') this.#endLiteral(this.#readBytes)
    if (this.#expected !== expects.nothing) {
      throw badRequest(`JSON ends early, after ${this.#readBytes} bytes; send all of it`)
    }
    return this.#root
  }

  /** Reads one token, or what there is of it; returns where the next begins. */
  #step(chunk: Uint8Array, at: number): number {
    if (this.#string !== undefined) return this.#continueString(chunk, at)
    if (this.#literal !== '') return this.#continueLiteral(chunk, at)
    const byte = chunk[at] as number
    if (isSpace[byte] === 1) return at + 1
    switch (byte) {
      case quote:
        if (this.#expected >= expects.colon) throw this.#unexpected(chunk, at)
        this.#string = new JsonString()
        return at + 1
      case open:
        return this.#open([], chunk, at)
      case openBrace:
        return this.#open(Object.create(null), chunk, at)
      case close:
      case closeBrace:
        return this.#close(byte === close, chunk, at)
      case comma:
        if (this.#expected !== expects.commaOrEnd) throw this.#unexpected(chunk, at)
        this.#expected = Array.isArray(this.#container) ? expects.value : expects.key
        return at + 1
      case colon:
        if (this.#expected !== expects.colon) throw this.#unexpected(chunk, at)
        this.#expected = expects.value
        return at + 1
    }
    if (this.#expected > expects.valueOrEnd) throw this.#unexpected(chunk, at)
    return this.#readNumbers(chunk, at)
  }

  #open(container: Container, chunk: Uint8Array, at: number): number {
    if (this.#expected > expects.valueOrEnd) throw this.#unexpected(chunk, at)
    if (this.#stack.length === deepest) {
      throw badRequest(`JSON is nested more than ${deepest} deep at byte ${this.#readBytes + at}`)
    }
    if (this.#container !== undefined) {
      this.#stack.push(this.#container)
      this.#keys.push(this.#key)
    }
    this.#container = container
    this.#expected = Array.isArray(container) ? expects.valueOrEnd : expects.keyOrEnd
    return at + 1
  }

  #close(isArray: boolean, chunk: Uint8Array, at: number): number {
    const container = this.#container
    const first = isArray ? expects.valueOrEnd : expects.keyOrEnd
    const mayEnd = this.#expected === expects.commaOrEnd || this.#expected === first
    if (!mayEnd || container === undefined || Array.isArray(container) !== isArray) {
      throw this.#unexpected(chunk, at)
    }
    this.#container = this.#stack.pop()
    this.#key = this.#keys.pop() ?? ''
    this.#add(container)
    return at + 1
  }

  #add(value: unknown): void {
    const container = this.#container
    if (container === undefined) {
      this.#root = value
      this.#expected = expects.nothing
      return
    }
    if (Array.isArray(container)) container.push(value)
    else container[this.#key] = value
    this.#expected = expects.commaOrEnd
  }

  #continueString(chunk: Uint8Array, at: number): number {
    const string = this.#string as JsonString
    const end = string.write(chunk, at)
    if (!string.ended) return end
    this.#string = undefined
    const text = string.text()
    if (this.#expected === expects.key || this.#expected === expects.keyOrEnd) {
      this.#key = text
      this.#expected = expects.colon
    } else this.#add(text)
    return end
  }

  /** In an array all numbers that follow each other, as far as they are whole; else one literal. */
  #readNumbers(chunk: Uint8Array, start: number): number {
    const container = this.#container
    if (!Array.isArray(container) || inRun[chunk[start] as number] === 0) {
      return this.#continueLiteral(chunk, start)
    }
    let at = start
    let lastComma = -1
    let digits = 0
    let wide = false
    for (; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (isDigit[byte] === 1) {
        if (++digits === 16) wide = true
      } else if (inRun[byte] === 0) break
      else {
        // Digits behind a point do not make an integer.
        digits = byte === 0x2e ? Number.NEGATIVE_INFINITY : 0
        if (byte === comma) lastComma = at
      }
    }
    // Also where the run goes over into a word, as in `-Infinity`.
    const cut = at === chunk.length || endsLiteral[chunk[at] as number] === 0
    if (cut && lastComma < 0) return this.#continueLiteral(chunk, start)
    const end = cut ? lastComma : at
    const found = parseNumbers(chunk, { start, end, wide, offset: this.#readBytes })
    for (const value of found.values) container.push(value)
    this.#expected = cut || found.commaLast ? expects.value : expects.commaOrEnd
    return cut ? lastComma + 1 : end
  }

  #continueLiteral(chunk: Uint8Array, start: number): number {
    let at = start
    while (at < chunk.length && endsLiteral[chunk[at] as number] === 0) at++
    if (this.#literal.length + at - start > longestLiteral) {
      throw badRequest(`JSON has a literal of more than ${longestLiteral} characters`)
    }
    this.#literal += String.fromCharCode(...chunk.subarray(start, at))
    if (at < chunk.length) this.#endLiteral(this.#readBytes + at)
    return at
  }

  #endLiteral(offset: number): void {
    const literal = this.#literal
    this.#literal = ''
    this.#add(parseLiteral(literal, offset - literal.length))
  }

  #unexpected(chunk: Uint8Array, at: number): ProtocolError {
    const found = JSON.stringify(String.fromCharCode(chunk[at] as number))
    return badRequest(`JSON is malformed: unexpected ${found} at byte ${this.#readBytes + at}`)
  }
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
}
