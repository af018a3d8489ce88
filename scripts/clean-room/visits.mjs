// What is done in an installed project, in this order: by every client what depends on how packages are laid out, by npm all.
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { runNode } from './project.mjs'

/**
 * @typedef {{ root: string, project: import('./project.mjs').Project }} Options
 * @typedef {{ addon: { attempts: { place: string }[] }, digit: number, share: number, doubled: number }} Said as much of it as one says
 */

/** As examples/01-digits-cascade/README.md says of its 240 digits. */
const leastShare = 0.96

/** @type {Readonly<Record<string, (options: Options) => void>>} */
export const visits = {
  'ECMAScript modules': ({ project }) => checkAccuracy(runNode(project, ['esm.mjs'])),
  CommonJS: ({ project }) => checkAccuracy(runNode(project, ['commonjs.cjs'])),
  doctor: ({ project }) => {
    const said = runNode(project, ['node_modules/millrace/dist/cli/main.js', 'doctor', '--json'])
    expectThat(said, ({ addon }) => addon.attempts.at(-1)?.place === 'the platform package')
  },
  TypeScript: ({ root, project }) => {
    runNode(project, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'])
    expectThat(runNode(project, ['typed.js']), ({ digit }) => digit >= 0 && digit <= 9)
  },
  'a bundle': ({ project }) => {
    buildSync({
      absWorkingDir: project.folder,
      entryPoints: ['esm.mjs'],
      outfile: 'bundled.mjs',
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['millrace'],
      logLevel: 'warning',
    })
    checkAccuracy(runNode(project, ['bundled.mjs']))
  },
}

/** @param {string} said */
function checkAccuracy(said) {
  expectThat(said, ({ share, doubled }) => share >= leastShare && doubled === 4)
}

/** @param {string} said JSON @param {(result: Said) => boolean} holds */
function expectThat(said, holds) {
  if (!holds(JSON.parse(said))) throw new Error(`expected another result than ${said}`)
}
