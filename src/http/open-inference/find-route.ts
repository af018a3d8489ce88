import { badRequest } from './protocol-error.ts'

/** What a path asks for. */
export type Route =
  | { readonly kind: 'live' | 'ready' | 'server' | 'list' | 'all-stats' | 'index' }
  | {
      readonly kind: 'model' | 'model-ready' | 'infer' | 'stats'
      readonly model: string
      readonly version: string | undefined
    }
  /** Triton has it, this server does not. */
  | { readonly kind: 'unsupported'; readonly what: string }
  | { readonly kind: 'nothing' }

const fixed: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['', { kind: 'server' }],
  ['health/live', { kind: 'live' }],
  ['health/ready', { kind: 'ready' }],
  ['models', { kind: 'list' }],
  ['repository/index', { kind: 'index' }],
  ['logging', { kind: 'unsupported', what: 'changes of the log' }],
  ['trace/setting', { kind: 'unsupported', what: 'trace settings' }],
])

const actions = { ready: 'model-ready', infer: 'infer', stats: 'stats' } as const
const unsupportedActions: Readonly<Record<string, string>> = {
  config: 'model configurations',
  generate: 'generation',
  generate_stream: 'generation',
}
const unsupportedTrees: Readonly<Record<string, string>> = {
  repository: 'loading and unloading of models',
  systemsharedmemory: 'shared memory',
  cudasharedmemory: 'shared memory',
}

/**
 * What a path asks for; undefined for one that does not begin with /v2. The name of a model may have slashes, encoded or
 * not; where it could also be read as a name and what is asked of it, a model that `has` knows by the longer name wins.
 *
 * @throws {ProtocolError} 400 for a path whose percent-encoding is broken
 */
export function findRoute(path: string, has: (model: string) => boolean): Route | undefined {
  if (path !== '/v2' && !path.startsWith('/v2/')) return undefined
  const parts = path.slice('/v2/'.length).split('/').map(decode)
  if (parts.at(-1) === '') parts.pop()
  const known = fixed.get(parts.join('/'))
  if (known !== undefined) return known
  const [tree = '', ...rest] = parts
  if (tree === 'models') return modelRoute(rest, has)
  const what = Object.hasOwn(unsupportedTrees, tree) ? unsupportedTrees[tree] : undefined
  return what === undefined ? { kind: 'nothing' } : { kind: 'unsupported', what }
}

function modelRoute(parts: readonly string[], has: (model: string) => boolean): Route {
  const whole = parts.join('/')
  if (has(whole)) return { kind: 'model', model: whole, version: undefined }
  if (whole === 'stats') return { kind: 'all-stats' }
  const last = parts.at(-1) ?? ''
  const before = parts.slice(0, -1)
  if (before.length > 0 && Object.hasOwn(actions, last)) {
    return { kind: actions[last as keyof typeof actions], ...named(before) }
  }
  if (before.length > 0 && Object.hasOwn(unsupportedActions, last)) {
    return { kind: 'unsupported', what: unsupportedActions[last] as string }
  }
  if (parts.slice(-2).join('/') === 'trace/setting' && parts.length > 2) {
    return { kind: 'unsupported', what: 'trace settings' }
  }
  return { kind: 'model', ...named(parts) }
}

function named(parts: readonly string[]): { model: string; version: string | undefined } {
  if (parts.length > 2 && parts.at(-2) === 'versions') {
    return { model: parts.slice(0, -2).join('/'), version: parts.at(-1) }
  }
  return { model: parts.join('/'), version: undefined }
}

function decode(part: string): string {
  if (!part.includes('%')) return part
  try {
    return decodeURIComponent(part)
  } catch {
    throw badRequest(
      `the path has ${JSON.stringify(part.slice(0, 80))}, which is not percent-encoded UTF-8`,
    )
  }
}
