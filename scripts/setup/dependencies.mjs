// Whether node_modules is what package-lock.json asks for.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const DEPENDENCY_FIELDS = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'overrides',
]

/** A hash of everything `npm ci` reads, leaving out scripts, version and the like. @param {string} root */
export function dependenciesFingerprint(root) {
  const manifest = readJson(join(root, 'package.json'))
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')))
  for (const field of DEPENDENCY_FIELDS) hash.update(`\0${JSON.stringify(manifest[field] ?? {})}`)
  return hash.update(`\0${process.platform}-${process.arch}`).digest('hex')
}

/**
 * Whether npm itself put exactly these packages there (an `npm ci` by hand, or in CI before us).
 * @param {string} root
 */
export function installedMatchesLock(root) {
  const installedFile = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installedFile)) return false
  const wanted = readJson(join(root, 'package-lock.json'))
  return (
    sameManifest(readJson(join(root, 'package.json')), wanted) &&
    samePackages(wanted, readJson(installedFile))
  )
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean, dependencies?: Record<string, string> }} Locked
 * @param {{ packages?: Record<string, Locked> }} wanted
 * @param {{ packages?: Record<string, Locked> }} installed
 */
export function samePackages(wanted, installed) {
  return Object.entries(wanted.packages ?? {}).every(([path, want]) => {
    const have = installed.packages?.[path]
    if (path === '') return true
    // npm leaves out optional packages made for other platforms.
    if (!have) return want.optional === true || want.devOptional === true
    return have.version === want.version && have.integrity === want.integrity
  })
}

/** @param {Record<string, unknown>} manifest @param {{ packages?: Record<string, Record<string, unknown>> }} lock */
function sameManifest(manifest, lock) {
  const locked = lock.packages?.[''] ?? {}
  const fields = ['dependencies', 'devDependencies', 'optionalDependencies']
  return fields.every((field) => sorted(manifest[field]) === sorted(locked[field]))
}

/** @param {unknown} record */
function sorted(record) {
  return JSON.stringify(Object.entries(record ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}
