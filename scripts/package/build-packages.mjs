import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packTarball } from './pack.mjs'
import { stage } from './stage.mjs'

/**
 * Lays out and packs what is published, below build/package.
 * @param {{ root: string, addons?: string | undefined }} options addons: a folder that holds TARGET/millrace.node for every
 *   target; without it the addon that was built here, for this platform alone
 */
export async function buildPackages({ root, addons }) {
  const out = join(root, 'build', 'package')
  const { targets } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).napi
  const files =
    addons === undefined ? addonBuiltHere(root, targets) : releaseAddons(addons, targets)
  const { main, platforms } = await stage({ root, out, addons: files })
  return [main, ...platforms].map((folder) => packTarball({ folder, to: out }))
}

/** @param {string} folder @param {string[]} targets */
function releaseAddons(folder, targets) {
  const entries = targets.map((target) => [target, join(folder, target, 'millrace.node')])
  const missing = entries.map(([, file = '']) => file).filter((file) => !existsSync(file))
  if (missing.length === 0) return Object.fromEntries(entries)
  throw new Error(`expected an addon for each target, found none at ${missing.join(', ')}`)
}

/** @param {string} root @param {string[]} targets */
function addonBuiltHere(root, targets) {
  /** @type {Readonly<Record<string, string>>} */
  const systems = { win32: 'windows', darwin: 'apple', linux: 'linux' }
  const cpu = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  const system = systems[process.platform] ?? process.platform
  const target = targets.find((name) => name.startsWith(`${cpu}-`) && name.includes(system))
  if (target === undefined) {
    throw new Error(`no package is published for ${process.platform} ${process.arch}`)
  }
  return { [target]: join(root, 'build', 'Release', 'millrace.node') }
}
