// The live page: what is in page.html, filled with what the server sends.
import type { LiveEngine, LivePoint, LiveSnapshot } from '../../observe/live-snapshot.ts'
import { Connection, type ConnectionState } from './connection.ts'
import { EngineDrawing } from './draw-engine.ts'
import { element, setAttributes, setText } from './element.ts'
import { mergePoints, pointOf } from './points.ts'
import { followTheme } from './theme.ts'
import { verdictOf } from './verdict.ts'

const connection = place('connection')
const tabs = place('engines')
const main = place('main')

const drawings = new Map<string, EngineDrawing>()
const points = new Map<string, readonly LivePoint[]>()
let engines: readonly LiveEngine[] = []
let chosen: string | undefined

const states: Readonly<Record<ConnectionState, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Connection lost, trying again',
  ended: 'The engines were closed',
  paused: 'Paused while hidden',
  mismatch: 'Another version is served: reload the page',
}

followTheme(place('theme'))
addEventListener('hashchange', () => show())
new Connection({
  onSnapshot: (snapshot) => take(snapshot),
  onState: (state) => {
    setText(connection, states[state])
    setAttributes(connection, { 'data-state': state })
    setAttributes(main, {
      'data-stale': state === 'live' || state === 'connecting' ? undefined : 'yes',
    })
  },
})

function take(snapshot: LiveSnapshot): void {
  engines = snapshot.engines
  for (const engine of engines) {
    const { name, history = [] } = engine
    // The last point of what came before is this snapshot's.
    const added = history.length > 0 ? history : [pointOf(engine, snapshot.atMs)]
    points.set(name, mergePoints(points.get(name) ?? [], added))
  }
  show()
}

function show(): void {
  const wanted = decodeURIComponent(location.hash.slice(1))
  const engine = engines.find(({ name }) => name === wanted) ?? engines[0]
  showTabs(engine?.name)
  if (engine === undefined) return
  const drawing = drawings.get(engine.name) ?? new EngineDrawing(engine)
  drawings.set(engine.name, drawing)
  if (chosen !== engine.name || drawing.element.parentElement !== main) {
    main.replaceChildren(drawing.element)
  }
  chosen = engine.name
  drawing.show(engine, { points: points.get(engine.name) ?? [] })
  document.title = `${engine.name}: Millrace live`
}

/** Links, so that each engine has an address; none where there is one engine. */
function showTabs(current: string | undefined): void {
  tabs.hidden = engines.length < 2
  if (tabs.childElementCount !== engines.length) {
    tabs.replaceChildren(...engines.map(() => element('a', {}, element('span'), element('small'))))
  }
  engines.forEach((engine, index) => {
    const link = tabs.children[index] as HTMLElement
    const { state } = verdictOf(engine)
    const words = {
      kept: '✓ kept',
      missed: '✕ missed',
      unknown: engine.state === 'ended' ? 'closed' : 'quiet',
    }
    setText(link.children[0] as Node, engine.name)
    setText(link.children[1] as Node, words[state])
    setAttributes(link, {
      href: `#${encodeURIComponent(engine.name)}`,
      'data-state': state,
      'aria-current': engine.name === current ? 'page' : undefined,
    })
  })
}

function place(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement // page.html has it
}
