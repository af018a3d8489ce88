// Checks style and types of both languages; runs every check, then says which failed.
//   node scripts/lint.mjs          report only
//   ... --fix                      rewrite what can be rewritten
//   ... --tidy                     also clang-tidy, which takes minutes; in .github/workflows, and not in .ci/run
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { forgetForeignCache, generator } from './cmake-cache.mjs'
import { buildPackages } from './package/build-packages.mjs'
import { runLogged } from './run-logged.mjs'
import { filesBelow } from './setup/fingerprint.mjs'
import { find } from './setup/toolchain.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const inCi = process.env['CI'] === 'true'
const { values } = parseArgs({
  options: { fix: { type: 'boolean', default: false }, tidy: { type: 'boolean', default: false } },
})

/** @typedef {{ ok: boolean, output: string }} Result */

/** @type {{ name: string, run: () => Result | Promise<Result> }[]} */
const checks = [
  { name: 'biome', run: biome },
  { name: 'types', run: types },
  { name: 'knip', run: () => node('knip/bin/knip.js', ['--no-progress']) },
  { name: 'package', run: publishedPackage },
  { name: 'clang-format', run: () => orExcuse('clang-format', clangFormat) },
  ...(values.tidy ? [{ name: 'clang-tidy', run: () => orExcuse('clang-tidy', clangTidy) }] : []),
]

function biome() {
  const args = ['check', '--error-on-warnings', '--colors=off', ...(values.fix ? ['--write'] : [])]
  return node('@biomejs/biome/bin/biome', args)
}

/** Of what runs in Node, and of what runs in browsers. */
function types() {
  const results = ['tsconfig.json', 'tsconfig.page.json'].map((project) => {
    return node('typescript/bin/tsc', ['--noEmit', '-p', project])
  })
  return {
    ok: results.every(({ ok }) => ok),
    output: results.map(({ output }) => output).join(''),
  }
}

/** What is published, as npm and as a user's compiler find it. */
async function publishedPackage() {
  const [main] = await buildPackages({ root })
  const folder = join(root, 'build', 'package', 'millrace')
  const published = node('publint/src/cli.js', ['run', folder, '--strict', '--pack', 'false'])
  if (!published.ok || main === undefined) return published
  const flags = ['--profile', 'esm-only', '--format', 'ascii', '--no-emoji', '--no-color']
  return node('@arethetypeswrong/cli/dist/index.js', [main.tarball, ...flags])
}

function clangFormat() {
  const files = ['native', 'test/native', 'bench/native'].flatMap((path) => nativeFiles(path))
  if (files.length === 0) return { ok: true, output: '' }
  return run('clang-format', [...(values.fix ? ['-i'] : ['--dry-run', '-Werror']), ...files])
}

/** The addon is left out: without Node's headers, which only cmake-js knows, it cannot be parsed. */
async function clangTidy() {
  const build = join(root, 'build', 'native-tidy')
  forgetForeignCache({ root, build })
  const configured = run('cmake', [
    '-S',
    '.',
    '-B',
    build,
    '-G',
    generator(),
    '-DCMAKE_BUILD_TYPE=Debug',
  ])
  if (!configured.ok) return configured
  const sources = nativeFiles('native').filter(
    (file) => file.endsWith('.cc') && !file.startsWith('native/addon/'),
  )
  const outputs = await inParallel(sources, (source) =>
    capture('clang-tidy', ['-p', build, '--quiet', source]),
  )
  return {
    ok: outputs.every(({ ok }) => ok),
    output: outputs.map(({ ok, output }) => (ok ? '' : output)).join(''),
  }
}

/** @param {string} path */
function nativeFiles(path) {
  return filesBelow({ root, path }).filter((file) => /\.(h|cc)$/.test(file))
}

/**
 * @param {string} program
 * @param {() => Result | Promise<Result>} check
 * @returns {Result | Promise<Result>}
 */
function orExcuse(program, check) {
  if (find(program)) return check()
  return {
    ok: !inCi,
    output: `not run: ${program} is not installed. Install it with:\n    apt-get install -y ${program}\n`,
  }
}

/** @param {string} script below node_modules @param {string[]} args */
function node(script, args) {
  return run(process.execPath, [join(root, 'node_modules', script), ...args])
}

/** @param {string} command @param {string[]} args @returns {Result} */
function run(command, args) {
  return runLogged({ command, args, cwd: root, logPath: join(root, 'build', 'lint.log') })
}

/** @param {string} command @param {string[]} args @returns {Promise<Result>} */
function capture(command, args) {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.on('error', (error) => resolve({ ok: false, output: `${error.message}\n` }))
    child.on('close', (code) => resolve({ ok: code === 0, output }))
  })
}

/**
 * @template T, R
 * @param {T[]} items
 * @param {(item: T) => Promise<R>} work
 * @returns {Promise<R[]>} in the order of the items
 */
async function inParallel(items, work) {
  /** @type {R[]} */
  const results = []
  const queue = items.entries()
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return results
}

for (const { name, run: check } of checks) {
  const beganMs = performance.now()
  const { ok, output } = await check()
  if (output && (!ok || output.startsWith('not run')))
    process.stdout.write(output.replaceAll(root, ''))
  console.log(
    `lint: ${name} ${ok ? 'ok' : 'FAILED'} (${((performance.now() - beganMs) / 1000).toFixed(1)} s)`,
  )
  if (!ok) process.exitCode = 1
}
