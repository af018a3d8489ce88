// Builds the C++ tests and runs them.
//   node scripts/test-native.mjs                  build/native-tests
//   node scripts/test-native.mjs --sanitizers     build/native-tsan, build/native-asan (address and undefined)
//   ... --only NAME                               the tests whose file name contains NAME
// Where GoogleTest is not installed it says so and succeeds, unless CI=true: a machine without it can still run `npm test`.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildTests, MissingGoogleTestError, runTests } from './native-tests.mjs'
import { checkNativeToolchain, MissingToolError } from './setup/toolchain.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

const PLAIN = [{ folder: 'native-tests', label: 'C++ tests', sanitize: '' }]
const SANITIZED = [
  { folder: 'native-tsan', label: 'C++ tests, thread sanitizer', sanitize: 'thread' },
  {
    folder: 'native-asan',
    label: 'C++ tests, address and undefined sanitizers',
    sanitize: 'address,undefined',
  },
]

const { values } = parseArgs({
  options: {
    sanitizers: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
})

/** @param {import('./native-tests.mjs').Variant} variant */
function buildAndRun(variant) {
  buildTests({ root, variant, only: values.only })
  const { passed, failed, skipped, output } = runTests({ root, variant, only: values.only })
  if (failed > 0) process.stdout.write(output)
  const counts = [
    `${passed} passed`,
    failed > 0 && `${failed} failed`,
    skipped > 0 && `${skipped} skipped`,
  ]
  console.log(`${variant.label}: ${counts.filter(Boolean).join(', ')}`)
  if (failed > 0 || passed === 0) process.exitCode = 1
}

try {
  checkNativeToolchain()
  for (const variant of values.sanitizers ? SANITIZED : PLAIN) buildAndRun(variant)
} catch (error) {
  if (!(error instanceof Error)) throw error
  console.error(error.message)
  const tolerated = error instanceof MissingGoogleTestError && process.env['CI'] !== 'true'
  if (!tolerated) process.exitCode = 1
  if (!(error instanceof MissingGoogleTestError || error instanceof MissingToolError))
    console.error(`${root}: C++ tests failed`)
}
