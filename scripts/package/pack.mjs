import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { npmCommand } from '../setup/npm-command.mjs'

/**
 * `npm pack` of a folder.
 * @param {{ folder: string, to: string }} options
 * @returns {{ name: string, version: string, tarball: string, packedBytes: number, unpackedBytes: number, files: string[] }}
 */
export function packTarball({ folder, to }) {
  const npm = npmCommand()
  const args = [...npm.args, 'pack', folder, '--json', '--ignore-scripts', '--pack-destination', to]
  const child = spawnSync(npm.command, args, { cwd: to, encoding: 'utf8' })
  if (child.status !== 0) throw new Error(`npm pack ${folder} failed: ${child.stderr}`)
  const [said] = JSON.parse(child.stdout)
  return {
    name: said.name,
    version: said.version,
    tarball: join(to, said.filename),
    packedBytes: said.size,
    unpackedBytes: said.unpackedSize,
    files: said.files.map((/** @type {{ path: string }} */ { path }) => path),
  }
}
