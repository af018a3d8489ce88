import { badRequest } from './protocol-error.ts'

const [quote, backslash] = [0x22, 0x5c]
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A string of JSON whose bytes come in parts; begins after the opening quote. */
export class JsonString {
  readonly #parts: Uint8Array[] = []
  #escapes = false
  /** The next byte was announced by a backslash. */
  #escaped = false
  ended = false

  /** Takes bytes up to the closing quote; returns where what follows begins. */
  write(chunk: Uint8Array, start: number): number {
    let at = start
    for (; at < chunk.length; at++) {
      const byte = chunk[at]
      if (this.#escaped) this.#escaped = false
      else if (byte === backslash) this.#escapes = this.#escaped = true
      else if (byte === quote) {
        this.ended = true
        break
      }
    }
    this.#parts.push(chunk.subarray(start, at))
    return this.ended ? at + 1 : at
  }

  /** @throws {ProtocolError} 400 */
  text(): string {
    const bytes = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts)
    const text = decode(bytes as Uint8Array)
    // What has neither escapes nor control characters is as it stands.
    if (!this.#escapes && !hasControls(text)) return text
    try {
      return JSON.parse(`"${text}"`) as string
    } catch {
      throw badRequest('JSON is malformed: a string has a wrong escape or a control character')
    }
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw badRequest('JSON is malformed: a string is not UTF-8')
  }
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 0x20) return true
  return false
}
