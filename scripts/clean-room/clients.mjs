// The package managers, each as far as it differs from the others.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { npmCommand } from '../setup/npm-command.mjs'
import { find } from '../setup/toolchain.mjs'
import { runNode } from './project.mjs'

/**
 * @typedef {Record<string, string>} Tarballs by package
 * @typedef {object} Client
 * @property {(tarballs: Tarballs) => object} overrides for package.json: the platform package, which no registry has yet
 * @property {Record<string, string>} files to write into the project
 * @property {number} visits how many, in their order
 * @property {(options: { root: string, project: import('./project.mjs').Project }) => void} install
 */

/** @type {Readonly<Record<string, Client>>} */
export const clients = {
  npm: {
    overrides: (tarballs) => ({ overrides: platformsOf(tarballs) }),
    files: {},
    visits: Number.POSITIVE_INFINITY,
    install: ({ project }) => run(project, [npmScript(), 'install', '--no-audit', '--no-fund']),
  },
  pnpm: {
    overrides: (tarballs) => ({ pnpm: { overrides: platformsOf(tarballs) } }),
    files: {},
    visits: 3,
    install: ({ root, project }) => {
      run(project, [join(root, 'node_modules/pnpm/bin/pnpm.cjs'), 'install', ...registry()])
    },
  },
  yarn: {
    overrides: (tarballs) => ({ resolutions: platformsOf(tarballs) }),
    files: {
      'yarn.lock': '',
      '.yarnrc.yml': [
        'nodeLinker: node-modules',
        'enableTelemetry: false',
        'enableImmutableInstalls: false',
        `npmRegistryServer: ${JSON.stringify(registryUrl())}`,
        '',
      ].join('\n'),
    },
    visits: 3,
    install: ({ root, project }) => {
      run(project, [join(root, 'node_modules/@yarnpkg/cli-dist/bin/yarn.js'), 'install'])
    },
  },
}

/** @param {Tarballs} tarballs */
function platformsOf(tarballs) {
  return Object.fromEntries(Object.entries(tarballs).filter(([name]) => name !== 'millrace'))
}

/** @param {import('./project.mjs').Project} project @param {string[]} args */
function run(project, args) {
  runNode(project, args)
}

function npmScript() {
  const given = npmCommand().args[0]
  const found = given ?? find('npm')
  if (found === undefined) throw new Error('expected npm on the PATH, found none')
  return found
}

function registry() {
  return [`--registry=${registryUrl()}`]
}

function registryUrl() {
  const npm = npmCommand()
  const args = [...npm.args, 'config', 'get', 'registry']
  return spawnSync(npm.command, args, { encoding: 'utf8' }).stdout.trim()
}
