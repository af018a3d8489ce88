// Lays out and packs what is published, and says how large it is:
//   node scripts/package.mjs                             with the addon built here, for this platform alone
//   node scripts/package.mjs --addons FOLDER             a release: FOLDER holds TARGET/millrace.node for all of them
// Everything lies below build/package; npm publishes build/package/millrace/npm/* first, build/package/millrace last.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { packTarball } from './package/pack.mjs'
import { stage } from './package/stage.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ options: { addons: { type: 'string' } } })

/** @returns {string[]} */
function targets() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).napi.targets
}

/** @param {string} folder */
function releaseAddons(folder) {
  const entries = targets().map((target) => [target, join(folder, target, 'millrace.node')])
  const missing = entries.filter(([, file]) => !existsSync(file ?? ''))
  if (missing.length === 0) return Object.fromEntries(entries)
  throw new Error(
    `expected an addon for each target, found none at ${missing.map(String).join(' ')}`,
  )
}

function addonOfThisPlatform() {
  const { arch, platform } = process
  const cpu = { x64: 'x86_64', arm64: 'aarch64' }[String(arch)]
  const target = targets().find((name) => {
    return (
      name.startsWith(`${cpu}-`) &&
      name.includes({ win32: 'windows', darwin: 'apple' }[String(platform)] ?? platform)
    )
  })
  if (target === undefined) throw new Error(`no package is published for ${platform} ${arch}`)
  return { [target]: join(root, 'build', 'Release', 'millrace.node') }
}

const out = join(root, 'build', 'package')
const addons = values.addons === undefined ? addonOfThisPlatform() : releaseAddons(values.addons)
const { main, platforms } = await stage({ root, out, addons })
const packed = [main, ...platforms].map((folder) => packTarball({ folder, to: out }))
console.log(JSON.stringify(packed, undefined, 2))
