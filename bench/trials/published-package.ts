/** Millrace as it is published, for trials of how fast it starts. */
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { stageMain } from '../../scripts/package/stage.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

export type PublishedPackage = {
  /** What `import 'millrace'` loads. */
  url: string
  /** For a process that uses it: the addon of this checkout, since no platform package is installed. */
  env: NodeJS.ProcessEnv
}

export async function publishedPackage(): Promise<PublishedPackage> {
  const main = join(root, 'build', 'bench-package', 'millrace')
  await stageMain({ root, main })
  const addon = join(root, 'build', 'Release', 'millrace.node')
  return {
    url: pathToFileURL(join(main, 'dist', 'index.js')).href,
    env: { ...process.env, MILLRACE_ADDON: addon },
  }
}
