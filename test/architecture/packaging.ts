// What a user of the package gets: its doors, its dependencies and their licences.
export interface Manifest {
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies?: Readonly<Record<string, string>>
}

export interface LockedPackage {
  readonly license?: string
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

/** A dependency is a promise to every user: adding one means adding it here, with its reason. */
export const RUNTIME_DEPENDENCIES: Readonly<Record<string, string>> = {
  ajv: 'checks profiles, traces and plans against their published schemas',
  'cli-progress': 'the progress bar of the command line',
  commander: 'reads the arguments of the command line, and writes its help',
  'fastify-plugin': 'the way in which plugins of Fastify reach the scope they are registered in',
  'onnxruntime-node':
    'brings libonnxruntime; one copy in the process, also for applications that use it directly',
  tinypool: 'runs js() stages in worker threads',
}

/** The one door, and the adapters that must not load their framework for everyone. */
export const DOORS: Readonly<Record<string, string>> = {
  '.': './dist/index',
  './express': './dist/http/express',
  './fastify': './dist/http/fastify',
}

const PERMISSIVE = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Unlicense',
]

export function unknownDoors({ exports = {} }: Manifest): readonly string[] {
  return Object.entries(exports)
    .filter(([name]) => name !== './package.json')
    .flatMap(([name, target]) => {
      const files = typeof target === 'string' ? [target] : Object.values(target)
      return files.map((file) => ({ name, file }))
    })
    .filter(
      ({ name, file }) =>
        DOORS[name] === undefined || DOORS[name] !== file.replace(/(\.d\.ts|\.js)$/, ''),
    )
    .map(({ name, file }) => `${name} -> ${file}`)
}

/** Every index file but src/index.ts: a door nobody should enter by. */
export function backDoors(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => /^src\/.*index\.\w+$/.test(path) && path !== 'src/index.ts')
}

export function unexpectedDependencies({ dependencies = {} }: Manifest): readonly string[] {
  return Object.keys(dependencies).filter((name) => !(name in RUNTIME_DEPENDENCIES))
}

export function nonPermissive({ packages }: Lock): readonly string[] {
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .filter(([, { license }]) => !isPermissive(license ?? ''))
    .map(([path, { license }]) => `${path}: ${license ?? 'no licence given'}`)
}

/** Optional packages that the lock refers to and does not hold: `npm ci` refuses such a lock. */
export function missingFromLock({ packages }: Lock): readonly string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter(
        (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
      )
      .map((name) => `${name}, wanted by ${path}: run scripts/complete-lock.mjs`),
  )
}

/** An SPDX expression: one choice of an OR is enough, every part of an AND is needed. */
function isPermissive(expression: string): boolean {
  return expression
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((part) => PERMISSIVE.includes(part.trim())))
}

// Written in pieces so that this file does not contain what it looks for.
const MACHINE_PATH = new RegExp(`(?<![\\w.:/$}~-])/(${['work', 'home', 'root'].join('|')})/[\\w.-]`)

/** Places that only exist on the machine of whoever wrote them. */
export function machinePaths(
  files: readonly { readonly path: string; readonly text: string }[],
): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (MACHINE_PATH.test(line) ? [`${path}:${index + 1}`] : [])),
  )
}
