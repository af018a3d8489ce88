// Prints the closing line of a CI run, `N passed, N failed, N skipped`, from the reports that the test runners left.
//   node scripts/count-tests.mjs VITEST_REPORT NATIVE_SUMMARY      a missing file counts as nothing
import { existsSync, readFileSync } from 'node:fs'

const [vitestPath = '', nativePath = ''] = process.argv.slice(2)

/** @param {string} path @returns {Record<string, number>} */
const read = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {})

const vitest = read(vitestPath)
const native = read(nativePath)
const passed = (vitest['numPassedTests'] ?? 0) + (native['passed'] ?? 0)
// A test file that could not even be loaded fails as a suite without a failed test in it.
const brokenFiles = vitest['numFailedTests'] === 0 ? (vitest['numFailedTestSuites'] ?? 0) : 0
const failed = (vitest['numFailedTests'] ?? 0) + brokenFiles + (native['failed'] ?? 0)
const skipped =
  (vitest['numPendingTests'] ?? 0) + (vitest['numTodoTests'] ?? 0) + (native['skipped'] ?? 0)
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
