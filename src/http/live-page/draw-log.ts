import type { LiveEvent } from '../../observe/live-snapshot.ts'
import { element } from './element.ts'
import { timeOfDay } from './format.ts'

const kinds: Readonly<Record<LiveEvent['kind'], string>> = {
  up: '▲ tuner, up',
  down: '▼ tuner, down',
  replan: '◆ tuner, new plan',
  clock: '◆ tuner, clock',
  scale: '● scaled',
  swap: '● model swapped',
  apply: '● configuration applied',
  fallback: '✕ on its fallback',
  shed: '✕ overload',
  error: '✕ error',
}

/** What was decided and what was changed, the newest first. Only what is new is added. */
export class LogDrawing {
  readonly element = element('ol', { class: 'log' })
  readonly #empty = element('li', { class: 'faint' }, 'Nothing was decided or changed yet.')
  #shown = ''

  show(events: readonly LiveEvent[]): void {
    const wanted = events.map(({ id, text }) => `${id} ${text}`).join('\n')
    if (wanted === this.#shown && this.element.childElementCount > 0) return
    this.#shown = wanted
    const items = events.map((event) => itemOf(event))
    this.element.replaceChildren(...(items.length === 0 ? [this.#empty] : items))
  }
}

function itemOf({ kind, atMs, text, reason }: LiveEvent): HTMLElement {
  const time = element('time', { datetime: new Date(atMs).toISOString() }, timeOfDay(atMs))
  const item = element(
    'li',
    { 'data-kind': kind },
    time,
    element('span', { class: 'kind' }, kinds[kind] ?? kind),
    element('span', { class: 'what' }, text),
  )
  if (reason !== undefined) item.append(element('span', { class: 'why' }, reason))
  return item
}
