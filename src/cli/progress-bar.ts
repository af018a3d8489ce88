import { SingleBar } from 'cli-progress'
import type { Terminal } from './terminal.ts'

/** How far a command is, drawn on stderr where somebody watches it. */
export class ProgressBar implements Disposable {
  readonly #bar: SingleBar | undefined

  /** `format` as cli-progress has it, with `{text}` for the text. */
  constructor(terminal: Terminal, format: string) {
    if (!terminal.isWatched) return
    this.#bar = new SingleBar({
      format,
      stream: process.stderr,
      barsize: 30,
      barCompleteChar: '=',
      barIncompleteChar: ' ',
      clearOnComplete: true,
      hideCursor: null,
      // Signals are the terminal's to handle.
      gracefulExit: false,
    })
    this.#bar.start(1, 0, { text: '' })
  }

  /** `done` of `total`; `text` says what is being done. */
  show({
    done,
    total,
    text = '',
  }: {
    readonly done: number
    readonly total: number
    readonly text?: string
  }): void {
    this.#bar?.setTotal(Math.max(1, total))
    this.#bar?.update(done, { text })
  }

  /** Takes it off the screen. */
  [Symbol.dispose](): void {
    this.#bar?.stop()
  }
}
