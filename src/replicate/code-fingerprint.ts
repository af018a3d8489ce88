import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { addonFile } from '../native/addon-file.ts'
import { packageFile } from '../package-file.ts'

/** This module has it, so all others of the same build have it, too: `.ts` or `.js`. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
const profiles = () => pathToFileURL(packageFile('profiles/'))

/** What follows from data alone is no part of how they came about: it is made anew for each report. */
const presents = /-presentation\.[jt]s$/

/**
 * Says of which code and inputs the data of a figure are: a hash of its module and of all that this imports, of the addon that
 * simulates, and of the profiles. Data with another fingerprint are not taken for current ones.
 */
export function codeFingerprint(figure: string): string {
  const hash = createHash('sha256')
  for (const module of [...modulesFrom(moduleOf(figure))].sort())
    hash.update(contentOf(new URL(module)))
  hash.update(inputs())
  return hash.digest('hex').slice(0, hexDigits)
}

const hexDigits = 16

/** As published, modules are bundled: then the bundle that this is a part of stands for all of them. */
function moduleOf(figure: string): URL {
  const alone = new URL(`./figures/${figure}${extension}`, import.meta.url)
  return existsSync(alone) ? alone : new URL(import.meta.url)
}

/** Addresses of a module, and of those that it needs when it runs. */
function modulesFrom(start: URL): ReadonlySet<string> {
  const found = new Set<string>([start.href])
  // A set that grows while it is walked: those that are added come later.
  for (const module of found) {
    for (const [, specifier = ''] of textOf(module).matchAll(importOfOurs)) {
      if (!presents.test(specifier)) found.add(new URL(specifier, module).href)
    }
  }
  return found
}

/** Types are gone when it runs. */
const importOfOurs = /^(?:import|export)\s(?!type\b)[^'";]*?\bfrom\s+['"](\.[^'"]+)['"]/gm

function textOf(module: string): string {
  return contentOf(new URL(module)).toString('utf8')
}

const contents = new Map<string, Buffer>()

// What runs was loaded when the process began: a file that changes later changes nothing.
function contentOf(file: URL): Buffer {
  const known = contents.get(file.href)
  if (known !== undefined) return known
  const content = readFileSync(file)
  contents.set(file.href, content)
  return content
}

let hashOfInputs: Buffer | undefined

function inputs(): Buffer {
  hashOfInputs ??= hashInputs()
  return hashOfInputs
}

function hashInputs(): Buffer {
  const hash = createHash('sha256')
  const addon = addonFile()
  // Where there is none, whoever loads it says so better.
  if (addon !== undefined) hash.update(readFileSync(addon))
  const names = readdirSync(packageFile('profiles')).filter((name) => name.endsWith('.json'))
  for (const name of names.sort()) hash.update(name).update(readFileSync(new URL(name, profiles())))
  return hash.digest()
}
