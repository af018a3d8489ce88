// Where this package lies. Files beside the code (profiles, workers, the addon) are found from here and not from the file
// that wants them: as published, the code is bundled into files at other depths.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MillraceError } from './errors.ts'

let root: string | undefined

/**
 * Absolute path of a file of this package, such as `packageFile('profiles/hardware.json')`.
 *
 * @throws {MillraceError} MILLRACE_NATIVE_LOAD where the code was copied out of the package, as by a bundler.
 */
export function packageFile(path: string): string {
  root ??= findRoot(fileURLToPath(import.meta.url))
  return join(root, path)
}

function findRoot(file: string): string {
  // Another package.json may lie above a copy of the code; our schemas do not.
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'profiles', 'profile.schema.json'))) return folder
  }
  throw new MillraceError({
    code: 'MILLRACE_NATIVE_LOAD',
    message:
      `expected the files of the package millrace above ${file}, found none; ` +
      "a bundler must leave millrace out of its bundle (mark it 'external')",
  })
}
