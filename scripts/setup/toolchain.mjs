// What must be on the machine before anything can be built, and the line that installs what is missing.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Something the user has to install; the message says what and how. */
export class MissingToolError extends Error {}

/**
 * @param {string} range the "engines" range of package.json, of the form ">=20.19"
 * @param {string} [version] default: the running Node
 */
export function checkNode(range, version = process.versions.node) {
  const [wantMajor = 0, wantMinor = 0] = range.replace(/^\D+/, '').split('.').map(Number)
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return
  throw new MissingToolError(
    `this is Node ${version}; Millrace needs ${range}. Install one from https://nodejs.org`,
  )
}

/**
 * Throws unless cmake, a C++ compiler and something that runs the build can be found.
 * @param {{ env?: NodeJS.ProcessEnv, platform?: NodeJS.Platform }} [options]
 */
export function checkNativeToolchain({ env = process.env, platform = process.platform } = {}) {
  const compilers = env['CXX'] ? [env['CXX']] : ['c++', 'g++', 'clang++']
  const missing = []
  if (!find('cmake', env)) missing.push('cmake')
  // On Windows the compiler is found through the registry, which cmake does better than we could.
  if (platform !== 'win32' && !compilers.some((name) => find(name, env)))
    missing.push('a C++20 compiler')
  if (platform !== 'win32' && !find('ninja', env) && !find('make', env)) missing.push('make')
  if (missing.length === 0) return
  throw new MissingToolError(
    `the native core cannot be built: ${missing.join(' and ')} not found. Install with:\n    ${installLine(platform)}`,
  )
}

/** @param {NodeJS.Platform} platform */
function installLine(platform) {
  if (platform === 'darwin') return 'xcode-select --install && brew install cmake'
  if (platform === 'win32')
    return 'winget install Kitware.CMake Microsoft.VisualStudio.2022.BuildTools'
  return 'apt-get install -y cmake g++ make'
}

/**
 * Where a program is, as the shell would find it; undefined when nowhere.
 * @param {string} name
 * @param {NodeJS.ProcessEnv} [env]
 */
export function find(name, env = process.env) {
  if (name.includes('/')) return isProgram(name) ? name : undefined
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd'] : ['']
  const folders = (env['PATH'] ?? '').split(delimiter).filter(Boolean)
  return folders
    .flatMap((folder) => suffixes.map((suffix) => join(folder, name + suffix)))
    .find(isProgram)
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
