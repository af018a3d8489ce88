// cmake refuses to reuse a cache made in another place (a copied tree) or by another generator (ninja came or went).
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { find } from './setup/toolchain.mjs'

/** What cmake-js chooses too: Ninja where there is one. */
export const generator = () => (find('ninja') ? 'Ninja' : 'Unix Makefiles')

/**
 * Removes the cache of a build folder when cmake would refuse it; objects stay.
 * @param {{ root: string, build: string }} options
 */
export function forgetForeignCache({ root, build }) {
  const path = join(build, 'CMakeCache.txt')
  if (!existsSync(path)) return
  const cache = readFileSync(path, 'utf8')
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(cache)?.[1] ?? ''
  const madeBy = /^CMAKE_GENERATOR:INTERNAL=(.*)$/m.exec(cache)?.[1]
  const sameGenerator = process.platform === 'win32' || madeBy === generator()
  if (join(home, '/') === join(root, '/') && sameGenerator) return
  rmSync(path)
  rmSync(join(build, 'CMakeFiles'), { recursive: true, force: true })
}
