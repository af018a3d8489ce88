// An empty project, and how programs are run in it.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { find } from '../setup/toolchain.mjs'

/**
 * @typedef {{ folder: string, env: NodeJS.ProcessEnv }} Project
 * @typedef {{ name: string, tarball: string }} Packed
 */

/**
 * @param {object} options
 * @param {string} options.root of the checkout
 * @param {Packed[]} options.packed
 * @param {import('./clients.mjs').Client} options.client
 * @returns {Project} its folder has a parent of its own, which is to be removed
 */
export function makeProject({ root, packed, client }) {
  const around = mkdtempSync(join(tmpdir(), 'millrace-clean-'))
  const folder = join(around, 'app')
  cpSync(join(root, 'test/package/app'), folder, { recursive: true })
  cpSync(join(root, 'examples/01-digits-cascade'), folder, { recursive: true })
  const tarballs = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]))
  const manifest = {
    name: 'app',
    version: '1.0.0',
    private: true,
    type: 'module',
    dependencies: { millrace: tarballs['millrace'] },
    devDependencies: { '@types/node': '^20.19.43' },
    ...client.overrides(tarballs),
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, undefined, 2))
  for (const [name, text] of Object.entries(client.files)) writeFileSync(join(folder, name), text)
  return { folder, env: bareEnvironment(around) }
}

/** No compiler, no cmake, no npm of the system: Node, and the shell that runs scripts. @param {string} around */
function bareEnvironment(around) {
  const bin = join(around, 'bin')
  mkdirSync(bin)
  symlinkSync(process.execPath, join(bin, 'node'))
  const shell = find('sh')
  if (shell !== undefined) symlinkSync(shell, join(bin, 'sh'))
  const { HOME, LANG, TMPDIR } = process.env
  const network = Object.entries(process.env).filter(([name]) => {
    return /^(https?_proxy|no_proxy|node_extra_ca_certs|ssl_cert_(file|dir))$/i.test(name)
  })
  return {
    ...Object.fromEntries(network),
    HOME,
    LANG,
    TMPDIR,
    PATH: bin,
    CI: 'true',
    // onnxruntime-node would fetch libraries for CUDA from elsewhere; npm 12 and pnpm do not let it.
    ONNXRUNTIME_NODE_INSTALL: 'skip',
  }
}

/**
 * Runs Node in the project and returns what it printed.
 * @param {Project} project @param {string[]} args
 */
export function runNode({ folder, env }, args) {
  const child = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' })
  if (child.status === 0) return child.stdout
  const how = child.signal ?? `exit code ${child.status}`
  throw new Error(`node ${args.join(' ')} in ${folder}: ${how}\n${child.stdout}\n${child.stderr}`)
}
