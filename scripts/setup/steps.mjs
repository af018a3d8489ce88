// The steps of setup, as data: what each depends on, what it leaves behind, and how it is done.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { forgetForeignCache } from '../cmake-cache.mjs'
import { runLogged } from '../run-logged.mjs'
import { dependenciesFingerprint, installedMatchesLock } from './dependencies.mjs'
import { filesBelow, fingerprint } from './fingerprint.mjs'
import { npmCommand } from './npm-command.mjs'
import { checkNativeToolchain } from './toolchain.mjs'

/**
 * @typedef {object} Step
 * @property {string} message said before it runs
 * @property {string} stampPath holds the fingerprint of the last success
 * @property {() => string} fingerprint of everything the step reads
 * @property {() => string[]} outputs files that must exist
 * @property {() => boolean} [adopt] true when somebody else has already done exactly this
 * @property {() => void} run throws when it fails
 */

/** @param {string} root @returns {Step[]} in the order in which they must run */
export function setupSteps(root) {
  return [dependenciesStep(root), nativeStep(root), typeScriptStep(root)]
}

/** @param {Step} step */
export function isCurrent(step) {
  if (!step.outputs().every((path) => existsSync(path))) return false
  const now = step.fingerprint()
  if (existsSync(step.stampPath) && readFileSync(step.stampPath, 'utf8') === now) return true
  if (!step.adopt?.()) return false
  markCurrent(step, now)
  return true
}

/** @param {Step} step @param {string} inputs the fingerprint that the result was made from */
export function markCurrent(step, inputs) {
  mkdirSync(dirname(step.stampPath), { recursive: true })
  writeFileSync(step.stampPath, inputs)
}

/** @param {string} root @returns {Step} */
function dependenciesStep(root) {
  const npm = npmCommand()
  return {
    message: 'installing dependencies (npm ci)',
    stampPath: join(root, 'node_modules', '.millrace-setup'),
    fingerprint: () => dependenciesFingerprint(root),
    outputs: () => [join(root, 'node_modules', '.package-lock.json')],
    adopt: () => installedMatchesLock(root),
    // The log level is given because npm hands its own down: under `npm run --silent` a failure would say nothing.
    run: () =>
      run({
        root,
        name: 'npm ci',
        command: npm.command,
        args: [...npm.args, 'ci', '--include=dev', '--loglevel=notice'],
      }),
  }
}

/** @param {string} root @returns {Step} */
function nativeStep(root) {
  const build = join(root, 'build')
  const benchSources = () =>
    filesBelow({ root, path: 'bench/native' }).filter((file) => file.endsWith('.cc'))
  return {
    message: 'building the native core (about a minute the first time)',
    stampPath: join(build, '.stamps', 'native'),
    fingerprint: () =>
      fingerprint({
        root,
        paths: ['CMakeLists.txt', 'native', 'bench/native'],
        also: [
          process.platform,
          process.arch,
          ...versions(root, ['cmake-js', 'node-addon-api', 'node-api-headers']),
        ],
      }),
    outputs: () => [
      join(build, 'Release', 'millrace.node'),
      ...(benchSources().length > 0 ? [join(build, 'Release', 'millrace_bench.node')] : []),
    ],
    run: () => {
      checkNativeToolchain()
      forgetForeignCache({ root, build })
      const script = join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js')
      const args = [script, 'build', '--out', 'build', '--parallel', String(availableParallelism())]
      run({ root, name: 'the native build', command: process.execPath, args })
    },
  }
}

/** @param {string} root @returns {Step} */
function typeScriptStep(root) {
  const commandLine = join(root, 'dist', 'cli', 'main.js')
  const livePage = join(root, 'dist', 'http', 'live-page', 'page.html')
  return {
    message: 'compiling TypeScript',
    stampPath: join(root, 'build', '.stamps', 'typescript'),
    fingerprint: () =>
      fingerprint({
        root,
        paths: [
          'tsconfig.json',
          'tsconfig.build.json',
          'tsconfig.page.json',
          'scripts/copy-page.mjs',
          'src',
        ],
        also: versions(root, ['typescript', '@types/node']),
      }),
    outputs: () => [join(root, 'dist', 'index.js'), commandLine, livePage],
    run: () => {
      const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
      const node = (/** @type {string} */ name, /** @type {string[]} */ args) =>
        run({ root, name, command: process.execPath, args })
      node('tsc', [tsc, '-p', 'tsconfig.build.json'])
      // The script of the live page runs in browsers, which have other globals.
      node('tsc-page', [tsc, '-p', 'tsconfig.page.json'])
      node('copy-page', [join(root, 'scripts', 'copy-page.mjs')])
      removeOrphans(root)
      // What `npx millrace` runs. npx makes it executable where it first links it, and never again.
      if (existsSync(commandLine)) chmodSync(commandLine, 0o755)
    },
  }
}

/** @param {{ root: string, name: string, command: string, args: string[] }} options */
function run({ root, name, command, args }) {
  const logPath = join(root, 'build', `setup-${name.split(' ').at(-1)}.log`)
  const verbose = process.env['MILLRACE_SETUP_VERBOSE'] === '1'
  const { ok, output } = runLogged({ command, args, cwd: root, logPath, verbose })
  if (ok) return
  if (!verbose) process.stderr.write(output)
  throw new Error(`${name} failed (output above)`)
}

/** Removes from dist/ what was compiled from a source that is gone: an import of it must fail. @param {string} root */
function removeOrphans(root) {
  const sources = new Set(
    filesBelow({ root, path: 'src' }).map((file) => file.slice('src/'.length).replace(/\.ts$/, '')),
  )
  for (const file of filesBelow({ root, path: 'dist' })) {
    const stem = file.slice('dist/'.length).replace(/(\.d\.ts|\.js)(\.map)?$/, '')
    if (!sources.has(stem)) rmSync(join(root, file))
  }
}

/** @param {string} root @param {string[]} names */
function versions(root, names) {
  return names.map((name) => {
    const path = join(root, 'node_modules', name, 'package.json')
    return existsSync(path)
      ? `${name}@${JSON.parse(readFileSync(path, 'utf8')).version}`
      : `${name}@none`
  })
}
