// Configuring, building, running and counting the C++ tests of one build folder.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { forgetForeignCache, generator } from './cmake-cache.mjs'
import { runLogged } from './run-logged.mjs'
import { find } from './setup/toolchain.mjs'

const TEST_TIMEOUT_S = 600

/** @typedef {{ folder: string, label: string, sanitize: string }} Variant folder: below build/ */
/** @typedef {{ passed: number, failed: number, skipped: number, output: string }} Outcome */

export class MissingGoogleTestError extends Error {
  constructor() {
    super(
      'The C++ tests did not run: GoogleTest is not installed. Install it with:\n    apt-get install -y libgtest-dev',
    )
  }
}

/** @param {{ root: string, variant: Variant, only: string }} options */
export function buildTests({ root, variant, only }) {
  const build = join(root, 'build', variant.folder)
  forgetForeignCache({ root, build })
  const settings = [
    '-DMILLRACE_TESTS=ON',
    '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
    // Lines in stacks, and no more: debug information is most of what is compiled and linked.
    '-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O2 -g1 -DNDEBUG',
    `-DMILLRACE_SANITIZE=${variant.sanitize}`,
  ]
  const configured = cmake({
    root,
    build,
    args: ['-S', '.', '-B', build, '-G', generator(), ...settings],
  })
  if (!configured.ok) {
    if (/GTest/i.test(configured.output)) throw new MissingGoogleTestError()
    throw new Error(
      `${configured.output}\n${variant.label}: cmake could not configure the build (output above)`,
    )
  }
  const target =
    only && existsSync(join(root, 'test', 'native', `${only}.cc`)) ? ['--target', only] : []
  const built = cmake({
    root,
    build,
    args: ['--build', build, '--parallel', String(availableParallelism()), ...target],
  })
  if (!built.ok)
    throw new Error(`${built.output}\n${variant.label}: the build failed (output above)`)
}

/** @param {{ root: string, variant: Variant, only: string }} options @returns {Outcome} */
export function runTests({ root, variant, only }) {
  const build = join(root, 'build', variant.folder)
  const reports = join(build, 'reports')
  const options = { root, build, reports, only }
  let run = ctest(options)
  // On kernels that spread mappings widely the thread sanitizer finds its shadow memory taken; a fixed layout helps.
  if (!run.ok && run.output.includes('unexpected memory mapping') && find('setarch')) {
    run = ctest({ ...options, wrapper: ['setarch', '-R'] })
  }
  const outcome = { ...countReports({ reports, ok: run.ok }), output: run.output }
  const { passed, failed, skipped } = outcome
  writeFileSync(join(build, 'summary.json'), `${JSON.stringify({ passed, failed, skipped })}\n`)
  return outcome
}

/** @param {{ root: string, build: string, reports: string, only: string, wrapper?: string[] }} options */
function ctest({ root, build, reports, only, wrapper = [] }) {
  rmSync(reports, { recursive: true, force: true })
  mkdirSync(reports, { recursive: true })
  const filter = only ? ['-R', only] : []
  const args = [
    ...wrapper,
    'ctest',
    '--test-dir',
    build,
    '--output-on-failure',
    '--timeout',
    String(TEST_TIMEOUT_S),
    ...filter,
  ]
  return runLogged({
    command: args[0] ?? 'ctest',
    args: args.slice(1),
    cwd: root,
    logPath: join(build, 'ctest.log'),
    env: { ...process.env, GTEST_OUTPUT: `json:${reports}/`, ...sanitizerOptions(root) },
  })
}

/** What the caller set comes last, so that it wins. @param {string} root @returns {Record<string, string>} */
function sanitizerOptions(root) {
  const suppressions = join(root, 'test', 'native', 'tsan.supp')
  const tsan = [
    'halt_on_error=0',
    'second_deadlock_stack=1',
    existsSync(suppressions) && `suppressions="${suppressions}"`,
  ]
  /** @param {string} name @param {(string | false)[]} ours */
  const withCallers = (name, ours) => [...ours, process.env[name]].filter(Boolean).join(':')
  return {
    TSAN_OPTIONS: withCallers('TSAN_OPTIONS', tsan),
    ASAN_OPTIONS: withCallers('ASAN_OPTIONS', [
      'detect_stack_use_after_return=1',
      'strict_string_checks=1',
    ]),
    UBSAN_OPTIONS: withCallers('UBSAN_OPTIONS', ['print_stacktrace=1', 'halt_on_error=1']),
  }
}

/**
 * Adds up the reports that each test program left. A program that died left none, or none that fails: it counts as one failure.
 * @param {{ reports: string, ok: boolean }} options
 */
function countReports({ reports, ok }) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const file of readdirSync(reports)) {
    const report = JSON.parse(readFileSync(join(reports, file), 'utf8'))
    for (const test of report.testsuites.flatMap(
      (/** @type {{ testsuite: object[] }} */ suite) => suite.testsuite,
    )) {
      counts[verdict(test)] += 1
    }
  }
  if (!ok && counts.failed === 0) counts.failed = 1
  return counts
}

/** @param {{ status?: string, result?: string, failures?: object[] }} test @returns {'passed' | 'failed' | 'skipped'} */
function verdict({ status, result, failures = [] }) {
  if (failures.length > 0) return 'failed'
  return status === 'NOTRUN' || result === 'SKIPPED' || result === 'SUPPRESSED'
    ? 'skipped'
    : 'passed'
}

/** @param {{ root: string, build: string, args: string[] }} options */
function cmake({ root, build, args }) {
  return runLogged({ command: 'cmake', args, cwd: root, logPath: join(build, 'cmake.log') })
}
