const escape = '\u001b'

/** A terminal that is drawn anew in place: on its other screen, which is gone afterwards and leaves all as it was. */
export class Screen implements Disposable {
  readonly #stream: NodeJS.WriteStream
  readonly #onResize = () => this.#draw()
  #lines: readonly string[] = []

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    // The other screen, without a cursor.
    stream.write(`${escape}[?1049h${escape}[?25l`)
    stream.on('resize', this.#onResize)
  }

  show(text: string): void {
    this.#lines = text.split('\n')
    this.#draw()
  }

  [Symbol.dispose](): void {
    this.#stream.off('resize', this.#onResize)
    this.#stream.write(`${escape}[?25h${escape}[?1049l`)
  }

  /** Overwritten line by line, and not cleared before: it does not flicker. */
  #draw(): void {
    const { columns = 80, rows = 24 } = this.#stream
    const room = Math.max(1, rows - 1)
    const cut = this.#lines.length > room
    const shown = cut
      ? [...this.#lines.slice(0, room - 1), '… a larger terminal shows more']
      : this.#lines
    const drawn = shown.map((line) => `${fit(line, columns)}${escape}[0m${escape}[K`)
    this.#stream.write(`${escape}[H${drawn.join('\r\n')}${escape}[J`)
  }
}

/** As much of a line as there is room for; what only changes colours takes none. */
export function fit(line: string, columns: number): string {
  let left = columns
  let shown = ''
  // An escape sequence, or one character.
  for (const [part] of line.matchAll(/\u001b\[[\d;]*m|[^]/gu)) {
    const isColour = part.startsWith(escape)
    if (!isColour && left === 0) break
    if (!isColour) left--
    shown += part
  }
  return shown
}
