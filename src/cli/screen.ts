const controlSequence = '\u001b['
/** A change of colours, or one character. */
const parts = /\p{Cc}\[[\d;]*m|\P{Cs}/gu

/** A terminal that is drawn anew in place: on its other screen, which is gone afterwards and leaves all as it was. */
export class Screen implements Disposable {
  readonly #stream: NodeJS.WriteStream
  readonly #onResize = () => this.#draw()
  #lines: readonly string[] = []

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    // The other screen, without a cursor.
    stream.write(`${controlSequence}?1049h${controlSequence}?25l`)
    stream.on('resize', this.#onResize)
  }

  show(text: string): void {
    this.#lines = text.split('\n')
    this.#draw()
  }

  [Symbol.dispose](): void {
    this.#stream.off('resize', this.#onResize)
    this.#stream.write(`${controlSequence}?25h${controlSequence}?1049l`)
  }

  /** Overwritten line by line, and not cleared before: it does not flicker. */
  #draw(): void {
    const { columns = 80, rows = 24 } = this.#stream
    const room = Math.max(1, rows - 1)
    const cut = this.#lines.length > room
    const shown = cut
      ? [...this.#lines.slice(0, room - 1), '… a larger terminal shows more']
      : this.#lines
    const drawn = shown.map(
      (line) => `${cutTo(line, columns)}${controlSequence}0m${controlSequence}K`,
    )
    this.#stream.write(`${controlSequence}H${drawn.join('\r\n')}${controlSequence}J`)
  }
}

/** As much of a line as there is room for; what only changes colours takes none. */
export function cutTo(line: string, columns: number): string {
  let left = columns
  let shown = ''
  for (const [part] of line.matchAll(parts)) {
    const isColour = part.startsWith(controlSequence)
    if (!isColour && left === 0) break
    if (!isColour) left--
    shown += part
  }
  return shown
}
