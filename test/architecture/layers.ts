// The directions in which dependencies may point: the tables of DESIGN.md, and nothing else.
import type { Dependency } from './imports.ts'

/** For each folder, what it may use besides itself and the base. */
export type Layers = Readonly<Record<string, readonly string[]>>

export const TYPESCRIPT_BASE: readonly string[] = [
  'errors',
  'check',
  'clock',
  'json',
  'json-file',
  'package-file',
  'package-manifest',
]

export const TYPESCRIPT_LAYERS: Layers = {
  errors: [],
  check: [],
  clock: [],
  json: [],
  'json-file': [],
  'package-file': [],
  'package-manifest': [],
  pipeline: [],
  // The declared surface of the addon speaks of the tensors that pipelines are made of.
  native: ['pipeline'],
  workload: [],
  profile: ['pipeline'],
  estimator: ['pipeline', 'profile', 'workload', 'native'],
  planner: ['pipeline', 'profile', 'workload', 'estimator'],
  devices: ['pipeline', 'native'],
  engine: ['pipeline', 'native', 'devices'],
  // It sees an engine through two methods that it declares itself, so that a simulated engine fits.
  tuner: ['pipeline', 'profile', 'workload', 'planner'],
  observe: ['pipeline', 'engine'],
  http: ['pipeline', 'engine', 'observe'],
  replicate: ['pipeline', 'profile', 'workload', 'estimator', 'planner', 'engine', 'tuner'],
  cli: [
    'pipeline',
    'profile',
    'workload',
    'estimator',
    'planner',
    'devices',
    'engine',
    'tuner',
    'observe',
    'replicate',
  ],
}

/** One file may do what the rest of its folder may not. */
export const TYPESCRIPT_FILE_LAYERS: Layers = {
  'src/profile/profiler.ts': ['engine', 'devices'],
  // Starts and ends the engines that the profiler measures; all it measures goes through this.
  'src/profile/measuring-engine.ts': ['engine'],
  // What a request costs beside its stages is what is left of its latency when the estimator has spoken.
  'src/profile/estimated-times.ts': ['estimator'],
  // How the machine shares its cores is no matter of any engine.
  'src/profile/measure-time-sharing.ts': ['native'],
  // `millrace doctor` looks at the loading itself, also where it fails.
  'src/cli/diagnose.ts': ['native'],
  // What was computed by another addon is computed again: it reads the file.
  'src/replicate/code-fingerprint.ts': ['native'],
}

export const NATIVE_LAYERS: Layers = {
  base: [],
  queue: ['base'],
  batching: ['base'],
  model: ['base'],
  // Of model only its interface: a kernel is a model like any other.
  cuda: ['base', 'model'],
  engine: ['base', 'queue', 'batching', 'model'],
  simulator: ['base', 'batching'],
  addon: ['base', 'batching', 'model', 'cuda', 'engine', 'simulator'],
}

/** What is asked of models, and what all of them share. */
const MODEL_INTERFACE = ['model', 'row_block', 'block_device', 'host_rows'].map(
  (name) => `native/model/${name}.h`,
)

/** Headers from outside that belong to one folder alone. */
const NATIVE_RESERVED: readonly { readonly header: RegExp; readonly folder: string }[] = [
  { header: /^(napi|napi-inl|node|node_api|js_native_api.*|uv|v8.*)\.h$/, folder: 'addon' },
  { header: /^(.*\/)?onnxruntime_.*\.h$/, folder: 'model' },
  { header: /^(cuda.*|nvml|driver_types|nvToolsExt)\.h$/, folder: 'cuda' },
]

export function typeScriptLayerViolations(dependencies: readonly Dependency[]): readonly string[] {
  return dependencies
    .filter(
      ({ from, to, external }) => !external && from.startsWith('src/') && !mayImport(from, to),
    )
    .map(describe)
}

function mayImport(from: string, to: string): boolean {
  if (to === 'src/index.ts' || !to.startsWith('src/')) return false
  if (from === 'src/index.ts') return true
  const [user, used] = [partOf(from), partOf(to)]
  if (user === used || TYPESCRIPT_BASE.includes(used)) return true
  return [TYPESCRIPT_LAYERS[user], TYPESCRIPT_FILE_LAYERS[from]].some((may) => may?.includes(used))
}

export function nativeLayerViolations(dependencies: readonly Dependency[]): readonly string[] {
  return dependencies
    .filter(({ from }) => from.startsWith('native/'))
    .filter((dependency) => !mayInclude(dependency))
    .map(describe)
}

function mayInclude({ from, to, external }: Dependency): boolean {
  const user = partOf(from)
  if (external) {
    return NATIVE_RESERVED.every(({ header, folder }) => folder === user || !header.test(to))
  }
  const used = partOf(to)
  // The engine knows models by their interface, and so do those who make others: no loading, no runtime.
  if ((user === 'engine' || user === 'cuda') && used === 'model')
    return MODEL_INTERFACE.includes(to)
  return user === used || (NATIVE_LAYERS[user]?.includes(used) ?? false)
}

/** Files of folders that the tables do not know: the design has to learn of them first. */
export function unknownFolders(paths: readonly string[]): readonly string[] {
  const known = (path: string): boolean =>
    path.startsWith('src/')
      ? path === 'src/index.ts' || partOf(path) in TYPESCRIPT_LAYERS
      : partOf(path) in NATIVE_LAYERS
  return paths.filter((path) => !known(path))
}

/** The folder below src/ or native/; for a file directly there, its name. */
function partOf(path: string): string {
  return path.split('/')[1]?.replace(/\.ts$/, '') ?? ''
}

function describe({ from, to }: Dependency): string {
  return `${from} must not use ${to}`
}
